import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from './access.ts';
import { lockRef } from './db.ts';
import { isRefName } from './git/ref-name.ts';
import { moveRef } from './move-ref.ts';
import { resolveRevision } from './resolve-revision.ts';
import type { Repo, RepoRef } from './types.ts';

export interface NewBranch {
  /** Short name: `main`, `feat/x`. */
  readonly branch: string;
  /** Any revision; the default branch when absent. */
  readonly startingPoint?: string | undefined;
  /** Move the branch when it exists, instead of refusing. */
  readonly overwrite?: boolean | undefined;
}

const exists = (ref: string) => hubError('conflict_exists', `Reference ${ref} already exists`);

/** Refuses a name that would be a folder of another branch's name, or the other way round, as git's files do. */
async function refuseNested(tx: Tx, repo: Repo, ref: string): Promise<void> {
  const above = ref.split('/').map((_, depth, parts) => parts.slice(0, depth).join('/'));
  const { rows } = await tx.query<{ name: string }>(
    `SELECT name FROM ref WHERE repo_id = $1 AND (name = ANY($2::text[]) OR starts_with(name, $3)) LIMIT 1`,
    [repo.id, above, `${ref}/`],
  );
  const [other] = rows;
  if (other)
    throw hubError(
      'conflict_exists',
      `Reference ${ref} cannot exist beside ${other.name}: one is a folder of the other`,
    );
}

/**
 * Creates a branch at a revision. Returns its full name and commit. Throws repo_not_found, forbidden,
 * invalid_input (name), revision_not_found (starting point), conflict_exists (it exists, or its name and
 * another's cannot stand side by side; of simultaneous requests one wins).
 */
export async function createBranch(
  ctx: Ctx,
  ref: RepoRef,
  request: NewBranch,
): Promise<{ ref: string; commitOid: Oid }> {
  const repo = await requireWrite(ctx, ref);
  if (!isRefName(request.branch))
    throw hubError('invalid_input', `Invalid reference for a branch: ${request.branch}`);
  const name = `refs/heads/${request.branch}`;
  const { commitOid } = await resolveRevision(ctx.db, repo, request.startingPoint ?? repo.defaultBranch);
  await transaction(ctx.db, async (tx) => {
    const now = await lockRef(tx, repo.id, name);
    if (now === commitOid && request.overwrite) return;
    if (now !== null && !request.overwrite) throw exists(name);
    // names are given one at a time, so that two that exclude each other cannot both be
    await tx.query('SELECT 1 FROM repo WHERE id = $1 FOR UPDATE', [repo.id]);
    if (now === null) await refuseNested(tx, repo, name);
    const moved = await moveRef(tx, ctx, {
      repo,
      ref: name,
      oldOid: now,
      newOid: commitOid,
      reason: 'branch',
    });
    if (!moved) throw exists(name);
  });
  return { ref: name, commitOid };
}

import type { Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { bytesOf, type Oid } from '#lib/base/ids.ts';
import { type Actor, audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { repoNotFound } from './access.ts';
import { bytesText, compileGlob } from './git/wildmatch.ts';
import { repoPushed } from './jobs.ts';
import { recordPullMove } from './pulls/record-pull-move.ts';
import { requireComplete, requireKnown } from './require-complete.ts';
import { requireWhole } from './require-whole.ts';
import type { Repo, RepoRef } from './types.ts';

export interface RefMove {
  readonly repo: Pick<Repo, 'type' | 'namespace' | 'name' | 'id' | 'gitSweeps'>;
  /** Full name of the ref. */
  readonly ref: string;
  /** What the ref must be now; null: it must not exist yet. */
  readonly oldOid: Oid | null;
  /** What it shall be; null: it shall be gone. */
  readonly newOid: Oid | null;
  readonly reason: MoveReason;
  /** The old commit is not among the ancestors of the new one: history is left behind. Deleting always does. */
  readonly isForced?: boolean;
}

/** Why a ref moves; kept in the reflog. */
export type MoveReason = keyof typeof ACTION;

const ACTION = {
  /** The first commit of a repo. */
  create: 'repo.create',
  commit: 'repo.commit',
  push: 'repo.push',
  /** A branch is made, or moved to another revision. */
  branch: 'repo.branch',
  tag: 'repo.tag',
  delete: 'repo.ref.delete',
  /** A pull request's own ref is made or moved by the hub. */
  pull: 'repo.pull',
  merge: 'repo.merge',
  revert: 'repo.revert',
  squash: 'repo.squash',
  /** A ref is set back to where its reflog says that it was. */
  restore: 'repo.restore',
  /** Files are taken out of the whole history. */
  rewrite: 'repo.rewrite',
} as const;

/** `model:ns/name`, as audit events name a repo. */
export const auditSubject = (repo: RepoRef) => `${repo.type}:${repo.namespace}/${repo.name}`;

async function swap(tx: Tx, { repo, ref, oldOid, newOid }: RefMove): Promise<boolean> {
  const to = newOid && bytesOf(newOid);
  const from = oldOid && bytesOf(oldOid);
  const { rowCount } =
    to === null
      ? await tx.query('DELETE FROM ref WHERE repo_id = $1 AND name = $2 AND oid = $3', [repo.id, ref, from])
      : from === null
        ? await tx.query('INSERT INTO ref (repo_id, name, oid) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
            repo.id,
            ref,
            to,
          ])
        : await tx.query(
            'UPDATE ref SET oid = $3, updated_at = now() WHERE repo_id = $1 AND name = $2 AND oid = $4',
            [repo.id, ref, to, from],
          );
  return rowCount === 1;
}

/** Throws forbidden when a protected branch would move in a way that its protection rules out. */
async function checkProtection(
  tx: Tx,
  { repo, ref, oldOid, newOid, reason, isForced }: RefMove,
): Promise<void> {
  const branch = ref.startsWith('refs/heads/') ? ref.slice('refs/heads/'.length) : null;
  if (branch === null || oldOid === null) return;
  const { rows } = await tx.query<{ pattern: string; require_pull_request: boolean }>({
    name: 'select-protection',
    text: 'SELECT pattern, require_pull_request FROM protected_branch WHERE repo_id = $1 LIMIT 100',
    values: [repo.id],
  });
  const rules = rows.filter((row) => compileGlob(bytesText(row.pattern)).matches(bytesText(branch)));
  if (rules.length === 0) return;
  if (newOid === null) throw hubError('forbidden', `Branch ${branch} is protected: it cannot be deleted`);
  if (isForced)
    throw hubError(
      'forbidden',
      `Branch ${branch} is protected: it only moves forward, history cannot be left behind`,
    );
  if (reason !== 'merge' && rules.some((rule) => rule.require_pull_request))
    throw hubError('forbidden', `Branch ${branch} is protected: changes come in through pull requests only`);
}

/**
 * Whether the move may lead to a commit that no ref reached until now, whose large files may be gone. What is only
 * built on the ref's own head is whole, and so is what these reasons make of refs that are locked or copied.
 */
function mayRevive({ oldOid, newOid, isForced, reason }: RefMove): boolean {
  if (newOid === null || reason === 'create' || reason === 'squash' || reason === 'rewrite') return false;
  // also forward: what lies ahead of a branch that was set back is reached by no ref
  return oldOid === null || isForced === true || reason === 'restore' || reason === 'branch';
}

/**
 * Inside the caller's transaction: compare-and-swap of a ref, with its reflog row, the repo's time of change, audit
 * event and `repo-pushed` job. Returns false, having changed nothing, when the ref is not at `oldOid`: the caller
 * then rolls back. Throws repo_not_found when the repo was deleted meanwhile, forbidden when the branch is protected
 * from such a move, conflict_exists when it would lead to a history whose large files were permanently deleted. A pull request's ref moves only while it is open, and each move is an event of it (forbidden else).
 * Every move of every ref goes through here, and so does the fence against garbage collection: from here on the repo's
 * row is locked, which it locks too for every batch; when it took git objects since the request read the repo, the
 * whole history is looked at before the move counts. Throws revision_not_found or busy when something of it is gone.
 */
export async function moveRef(tx: Tx, ctx: Actor & Pick<Ctx, 'queue'>, move: RefMove): Promise<boolean> {
  const { repo, ref, oldOid, newOid, reason } = move;
  if (!(await swap(tx, move))) return false;
  await checkProtection(tx, move);
  await tx.query(
    `INSERT INTO ref_update (repo_id, name, old_oid, new_oid, reason, actor_id) VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      repo.id,
      ref,
      oldOid && bytesOf(oldOid),
      newOid && bytesOf(newOid),
      reason,
      ctx.principal.kind === 'user' ? ctx.principal.id : null,
    ],
  );
  const isPull = ref.startsWith('refs/pr/');
  if (isPull) await recordPullMove(tx, ctx, move);
  const alive = await tx.query<{ git_sweeps: number }>(
    `UPDATE repo SET updated_at = CASE WHEN $2 THEN updated_at ELSE now() END WHERE id = $1 AND deleted_at IS NULL
     RETURNING git_sweeps`,
    [repo.id, isPull], // a proposal changes nothing of the repo yet
  );
  const [now] = alive.rows;
  if (now === undefined) throw repoNotFound();
  if (mayRevive(move)) await requireKnown(tx, repo.id, newOid as Oid);
  if (newOid !== null && now.git_sweeps !== repo.gitSweeps) await requireComplete(tx, repo.id, newOid);
  if (mayRevive(move)) await requireWhole(tx, repo.id, newOid as Oid); // the repo's row is locked: nobody deletes files now
  const details = { ref, oldOid, newOid };
  await audit(tx, ctx, { action: ACTION[reason], subject: auditSubject(repo), details });
  await ctx.queue.enqueue(tx, repoPushed, { repoId: repo.id }, { key: String(repo.id) });
  return true;
}

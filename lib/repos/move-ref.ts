import type { Tx } from '#lib/base/db.ts';
import { bytesOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { type Actor, audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { repoNotFound } from './access.ts';
import { repoPushed } from './jobs.ts';
import type { RepoRef } from './types.ts';

export interface RefMove {
  readonly repo: RepoRef & { readonly id: RepoId };
  /** Full name of the ref. */
  readonly ref: string;
  /** What the ref must be now; null: it must not exist yet. */
  readonly oldOid: Oid | null;
  /** What it shall be; null: it shall be gone. */
  readonly newOid: Oid | null;
  readonly reason: 'create' | 'commit' | 'branch' | 'delete';
}

const ACTION = {
  create: 'repo.create',
  commit: 'repo.commit',
  branch: 'repo.branch.create',
  delete: 'repo.branch.delete',
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

/**
 * Inside the caller's transaction: compare-and-swap of a ref, with its reflog row, the repo's time of change, audit
 * event and `repo-pushed` job. Returns false, having changed nothing, when the ref is not at `oldOid`: the caller
 * then rolls back. Throws repo_not_found when the repo was deleted meanwhile. Every move of every ref goes through
 * here.
 */
export async function moveRef(tx: Tx, ctx: Actor & Pick<Ctx, 'queue'>, move: RefMove): Promise<boolean> {
  const { repo, ref, oldOid, newOid, reason } = move;
  if (!(await swap(tx, move))) return false;
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
  const alive = await tx.query('UPDATE repo SET updated_at = now() WHERE id = $1 AND deleted_at IS NULL', [
    repo.id,
  ]);
  if (alive.rowCount !== 1) throw repoNotFound();
  const details = { ref, oldOid, newOid };
  await audit(tx, ctx, { action: ACTION[reason], subject: auditSubject(repo), details });
  await ctx.queue.enqueue(tx, repoPushed, { repoId: repo.id }, { key: String(repo.id) });
  return true;
}

import type { Tx } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { bytesOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { type Actor, audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { repoNotFound } from './access.ts';
import { type CommitContent, encodeCommit, splitMessage } from './git/commit.ts';
import { insertObjects } from './git/db.ts';
import { type EncodedObject, encodeObject, KIND } from './git/objects.ts';
import { repoPushed } from './jobs.ts';
import type { RepoRef } from './types.ts';

/** A commit that is ready to be written. */
export interface Landing {
  readonly repo: RepoRef & { readonly id: RepoId };
  /** Full name of the ref that moves. */
  readonly ref: string;
  /** What the ref must be now; null: it must not exist yet. */
  readonly oldOid: Oid | null;
  readonly commit: CommitContent;
  /** The commit object itself. */
  readonly sealed: EncodedObject;
  /** Trees and blobs that may not be there yet. */
  readonly objects: readonly EncodedObject[];
  readonly reason: 'create' | 'commit';
}

/** `model:ns/name`, as audit events name a repo. */
export const auditSubject = (repo: RepoRef) => `${repo.type}:${repo.namespace}/${repo.name}`;

/** A commit's content as the object that will be written. */
export async function sealCommit(commit: CommitContent): Promise<EncodedObject> {
  return encodeObject(KIND.commit, encodeCommit(commit));
}

const userIdOf = (actor: Actor) => (actor.principal.kind === 'user' ? actor.principal.id : null);

/**
 * Inside the caller's transaction: objects, commit index, compare-and-swap of the ref, reflog, audit event and
 * job. Returns false, having changed only unreachable rows, when the ref is no longer at `oldOid`: the caller
 * then rolls back. Throws repo_not_found when the repo was deleted meanwhile.
 */
export async function landCommit(
  tx: Tx,
  ctx: Actor & Pick<Ctx, 'queue'>,
  landing: Landing,
): Promise<boolean> {
  const { repo, ref, oldOid, commit, sealed } = landing;
  const oid = bytesOf(sealed.oid);
  const userId = userIdOf(ctx);
  await insertObjects(tx, repo.id, [...landing.objects, sealed]);
  const { title, body } = splitMessage(commit.message);
  await tx.query(
    `INSERT INTO commit_index (repo_id, oid, tree_oid, parents, title, message, author_name, author_email, authored_at, user_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9), $10) ON CONFLICT DO NOTHING`,
    [
      repo.id,
      oid,
      bytesOf(commit.tree),
      commit.parents.map(bytesOf),
      title,
      body,
      commit.author.name,
      commit.author.email,
      commit.author.atSeconds,
      userId,
    ],
  );
  await failpoint('commit.before-cas');
  const moved =
    oldOid === null
      ? await tx.query('INSERT INTO ref (repo_id, name, oid) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING', [
          repo.id,
          ref,
          oid,
        ])
      : await tx.query(
          'UPDATE ref SET oid = $3, updated_at = now() WHERE repo_id = $1 AND name = $2 AND oid = $4',
          [repo.id, ref, oid, bytesOf(oldOid)],
        );
  if (moved.rowCount !== 1) return false;
  await tx.query(
    `INSERT INTO ref_update (repo_id, name, old_oid, new_oid, reason, actor_id) VALUES ($1, $2, $3, $4, $5, $6)`,
    [repo.id, ref, oldOid === null ? null : bytesOf(oldOid), oid, landing.reason, userId],
  );
  const alive = await tx.query('UPDATE repo SET updated_at = now() WHERE id = $1 AND deleted_at IS NULL', [
    repo.id,
  ]);
  if (alive.rowCount !== 1) throw repoNotFound();
  await audit(tx, ctx, {
    action: landing.reason === 'create' ? 'repo.create' : 'repo.commit',
    subject: auditSubject(repo),
    details: { ref, oldOid, newOid: sealed.oid },
  });
  await ctx.queue.enqueue(tx, repoPushed, { repoId: repo.id }, { key: String(repo.id) });
  return true;
}

import type { Tx } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { bytesOf, type RepoId } from '#lib/base/ids.ts';
import type { Actor } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { type CommitContent, encodeCommit, splitMessage } from './git/commit.ts';
import { insertObjects } from './git/db.ts';
import { type EncodedObject, encodeObject, KIND } from './git/objects.ts';
import { moveRef, type RefMove } from './move-ref.ts';

/** A commit that is ready to be written. */
export interface Landing extends Omit<RefMove, 'newOid'> {
  readonly commit: CommitContent;
  /** The commit object itself. */
  readonly sealed: EncodedObject;
  /** Trees and blobs that may not be there yet. */
  readonly objects: readonly EncodedObject[];
}

/** A commit's content as the object that will be written. */
export async function sealCommit(commit: CommitContent): Promise<EncodedObject> {
  return encodeObject(KIND.commit, encodeCommit(commit));
}

async function indexCommit(tx: Tx, repoId: RepoId, landing: Landing, userId: string | null): Promise<void> {
  const { commit, sealed } = landing;
  const { title, body } = splitMessage(commit.message);
  await tx.query(
    `INSERT INTO commit_index (repo_id, oid, tree_oid, parents, title, message, author_name, author_email, authored_at, user_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, to_timestamp($9), $10) ON CONFLICT DO NOTHING`,
    [
      repoId,
      bytesOf(sealed.oid),
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
}

/**
 * Inside the caller's transaction: objects, commit index and the move of the ref with all that goes with it (see
 * moveRef). Returns false, having written only unreachable rows, when the ref is no longer at `oldOid`.
 */
export async function landCommit(
  tx: Tx,
  ctx: Actor & Pick<Ctx, 'queue'>,
  landing: Landing,
): Promise<boolean> {
  const { repo, sealed } = landing;
  await insertObjects(tx, repo.id, [...landing.objects, sealed]);
  await indexCommit(tx, repo.id, landing, ctx.principal.kind === 'user' ? ctx.principal.id : null);
  await failpoint('commit.before-cas');
  return moveRef(tx, ctx, { ...landing, newOid: sealed.oid });
}

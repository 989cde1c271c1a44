import type { Tx } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Actor } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { type CommitContent, encodeCommit } from './git/commit.ts';
import { insertObjects } from './git/db.ts';
import { type EncodedObject, encodeObject, KIND } from './git/objects.ts';
import { indexCommits } from './index-commits.ts';
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
  const userId = ctx.principal.kind === 'user' ? ctx.principal.id : null;
  await indexCommits(tx, repo.id, [{ oid: sealed.oid, commit: landing.commit, userId }]);
  await failpoint('commit.before-cas');
  return moveRef(tx, ctx, { ...landing, newOid: sealed.oid });
}

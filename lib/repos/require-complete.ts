import type { Queryable } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { parseTag } from './git/commit.ts';
import { selectTagObjects } from './git/db.ts';
import { decodeObject } from './git/objects.ts';
import { EMPTY_TREE_OID } from './git/tree.ts';
import { MissingObject, markReachable, Reachable } from './reclaim/mark-reachable.ts';
import { revisionNotFound } from './resolve-revision.ts';

const MAX_TAG_DEPTH = 5;
const OIDS_AT_ONCE = 10_000;

/**
 * Under the lock of the repo's row: throws revision_not_found unless `oid` is a commit of the repo, or a tag that leads
 * to one. What a process remembers of commits may be older than garbage collection; a commit that is still indexed has
 * everything below it (decision 0019). Plan: one probe of commit_index_pkey, and for tags a few of git_object.
 */
export async function requireKnown(tx: Queryable, repoId: RepoId, oid: Oid): Promise<void> {
  let at = oid;
  for (let depth = 0; depth <= MAX_TAG_DEPTH; depth++) {
    const { rows } = await tx.query<{ oid: Buffer }>(
      'SELECT oid FROM commit_index WHERE repo_id = $1 AND oid = $2',
      [repoId, bytesOf(at)],
    );
    if (rows.length === 1) return;
    const tag = (await selectTagObjects(tx, repoId, [at])).get(at);
    if (tag === undefined) break;
    at = parseTag(await decodeObject(tag)).object;
  }
  throw revisionNotFound(oid);
}

async function countPresent(tx: Queryable, repoId: RepoId, oids: readonly Buffer[]): Promise<number> {
  const { rows } = await tx.query<{ count: number }>(
    'SELECT count(*)::int4 AS count FROM git_object WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
    [repoId, oids],
  );
  return rows[0]?.count ?? 0;
}

/**
 * Under the lock of the repo's row: throws busy unless everything that `oid` reaches is there. Asked only when garbage
 * collection took objects of the repo since the request read it: then what the request found or wrote before, outside
 * of its transaction, may be gone. Reads every tree of the history once: seconds in a large repo.
 */
export async function requireComplete(tx: Queryable, repoId: RepoId, oid: Oid): Promise<void> {
  const reachable = new Reachable();
  const gone = (cause?: unknown) =>
    hubError('busy', 'The repository was tidied up while this was prepared: send it again', { cause });
  try {
    await markReachable(tx, repoId, [{ oid: bytesOf(oid), isSure: true }], reachable);
  } catch (error) {
    if (error instanceof MissingObject) throw gone(error);
    throw error;
  }
  for (const batch of reachable.oids.batches(OIDS_AT_ONCE)) {
    const empty = batch.some((one) => hexOf<Oid>(one) === EMPTY_TREE_OID) ? 1 : 0;
    const present = await countPresent(tx, repoId, batch);
    if (present < batch.length - empty) throw gone();
  }
}

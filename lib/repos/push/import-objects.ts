import type { Queryable } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Oid, RepoId, Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { parseCommit } from '../git/commit.ts';
import { insertObjects } from '../git/db.ts';
import { parsePointer } from '../git/lfs-pointer.ts';
import { type EncodedObject, encodeObject, KIND } from '../git/objects.ts';
import { type CommitToIndex, indexCommits } from '../index-commits.ts';
import type { Repo } from '../types.ts';
import { checkSizes, checkTree, PointerCheck } from './check-objects.ts';
import type { NewObject } from './new-of-push.ts';
import type { ObjectReader, ReceivedObject } from './object-reader.ts';

/** Objects of a push, checked, and as rows when they fit in memory. */
export interface CheckedObjects {
  readonly commits: readonly CommitToIndex[];
  /** Rows to write, or null: there are too many to hold, see writeLarge. */
  readonly rows: readonly EncodedObject[] | null;
  /** Large files that the new pointers name. */
  readonly files: readonly Sha256[];
}

/** Contents up to this together are read once and written with the refs, in one transaction. */
const HELD_BYTES = 32 * 1024 * 1024;
const BATCH_BYTES = 8 * 1024 * 1024;
/** A pointer is smaller (git-lfs docs/spec.md). */
const MAX_POINTER_BYTES = 1024;

async function rowOf(object: ReceivedObject): Promise<EncodedObject> {
  const pointer = object.kind === KIND.blob ? parsePointer(object.content) : null;
  const row = await encodeObject(object.kind, object.content, pointer ?? undefined);
  if (row.oid !== object.oid) throw new Error(`object ${object.oid} of a push hashes to ${row.oid}`);
  return row;
}

/**
 * Looks at every new object: sizes, names in trees, pointers; collects the commits. Throws invalid_object or
 * invalid_path with what people need to know. Memory: 32 MiB of contents, and about 300 bytes per object.
 */
export async function checkObjects(
  ctx: Ctx,
  repo: Repo,
  reader: ObjectReader,
  objects: readonly NewObject[],
): Promise<CheckedObjects> {
  checkSizes(objects);
  const total = objects.reduce((sum, object) => sum + object.sizeBytes, 0);
  const isHeld = total <= HELD_BYTES;
  const looked = objects.filter(
    ({ kind, sizeBytes }) => isHeld || kind !== KIND.blob || sizeBytes <= MAX_POINTER_BYTES,
  );
  const pathOf = new Map(looked.map(({ oid, path }) => [oid, path]));
  const pointers = new PointerCheck();
  const commits: CommitToIndex[] = [];
  const rows: EncodedObject[] = [];
  for await (const object of reader.read(looked.map(({ oid }) => oid))) {
    const path = pathOf.get(object.oid) ?? '';
    if (object.kind === KIND.tree) checkTree(object.content, path);
    if (object.kind === KIND.commit)
      commits.push({ oid: object.oid, commit: parseCommit(object.content), userId: null });
    pointers.note(object, path);
    if (isHeld) rows.push(await rowOf(object));
  }
  await pointers.check(ctx, repo.id);
  return { commits, rows: isHeld ? rows : null, files: pointers.files };
}

/** Inside a transaction or not: writes held rows and the commit index. */
export async function writeHeld(db: Queryable, repoId: RepoId, checked: CheckedObjects): Promise<void> {
  if (checked.rows !== null) await insertObjects(db, repoId, checked.rows);
  await indexCommits(db, repoId, checked.commits);
  await failpoint('push.objects-written');
}

/** Writes objects that are too many to hold, in batches: nobody sees them until a ref moves. */
export async function writeLarge(
  ctx: Pick<Ctx, 'db' | 'signal'>,
  repoId: RepoId,
  reader: ObjectReader,
  oids: readonly Oid[],
): Promise<void> {
  let batch: EncodedObject[] = [];
  let bytes = 0;
  for await (const object of reader.read(oids)) {
    const row = await rowOf(object);
    batch.push(row);
    bytes += row.data.length;
    if (bytes < BATCH_BYTES && batch.length < 5000) continue;
    ctx.signal.throwIfAborted();
    await insertObjects(ctx.db, repoId, batch);
    batch = [];
    bytes = 0;
  }
  await insertObjects(ctx.db, repoId, batch);
}

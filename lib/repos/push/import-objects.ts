import type { Queryable } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Oid, RepoId, Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { insertObjects } from '../git/db.ts';
import type { LfsPointer } from '../git/lfs-pointer.ts';
import { type EncodedObject, encodeObject, KIND } from '../git/objects.ts';
import { type CommitToIndex, indexCommits } from '../index-commits.ts';
import type { Repo } from '../types.ts';
import { checkSizes, PointerCheck } from './check-objects.ts';
import type { NewObject, NewOfPush } from './new-of-push.ts';
import type { ObjectReader } from './object-reader.ts';
import type { ReceivedPack } from './received-pack.ts';

/** Objects of a push, checked, and as rows when they fit in memory. */
export interface CheckedObjects {
  readonly commits: readonly CommitToIndex[];
  /** Rows to write, or null: there are too many to hold, see writeLarge. */
  readonly rows: readonly EncodedObject[] | null;
  /** Rows of all objects, made once more. */
  readonly encode: () => AsyncIterable<EncodedObject>;
  /** Large files that the new pointers name. */
  readonly files: readonly Sha256[];
}

/** Contents up to this together are read once and written with the refs, in one transaction. */
const HELD_BYTES = 32 * 1024 * 1024;
const BATCH_BYTES = 8 * 1024 * 1024;
/** A pointer has its two lines and the address of its format, and no more than this (git-lfs docs/spec.md). */
const MIN_POINTER_BYTES = 100;
const MAX_POINTER_BYTES = 1024;

/**
 * Objects as rows. A row carries what a pack carries: bytes are taken out of the pack as they are, which git has
 * inflated and hashed; only deltas are read through git and deflated.
 */
async function* encodeAll(
  pack: ReceivedPack,
  reader: ObjectReader,
  objects: ReadonlyMap<Oid, NewObject>,
  pointers: ReadonlyMap<Oid, LfsPointer>,
): AsyncGenerator<EncodedObject> {
  const rest = new Set(objects.keys());
  for await (const { oid, whole } of pack.read(rest)) {
    if (whole === null) continue;
    const facts = objects.get(oid);
    if (facts?.kind !== whole.kind || facts.sizeBytes !== whole.sizeBytes)
      throw new Error(`object ${oid} of a push is not where its index says`);
    rest.delete(oid);
    const lfs = pointers.get(oid);
    yield { oid, ...whole, ...(lfs && { lfs }) };
  }
  for await (const { oid, kind, content } of reader.read([...rest])) {
    const row = await encodeObject(kind, content, pointers.get(oid));
    if (row.oid !== oid) throw new Error(`object ${oid} of a push hashes to ${row.oid}`);
    yield row;
  }
}

/**
 * Looks at every new object: sizes and pointers. Throws invalid_object with what people need to know. Memory: 32 MiB
 * of contents, and about 300 bytes per object.
 */
export async function checkObjects(
  ctx: Ctx,
  repo: Repo,
  pack: ReceivedPack,
  reader: ObjectReader,
  { objects, commits }: NewOfPush,
): Promise<CheckedObjects> {
  const all = [...objects.values()];
  checkSizes(all);
  const check = new PointerCheck();
  const pointers = new Map<Oid, LfsPointer>();
  const small = all.filter(
    ({ kind, sizeBytes }) =>
      kind === KIND.blob && sizeBytes >= MIN_POINTER_BYTES && sizeBytes <= MAX_POINTER_BYTES,
  );
  for await (const object of reader.read(small.map(({ oid }) => oid))) {
    const pointer = check.note(object, objects.get(object.oid)?.path ?? '');
    if (pointer) pointers.set(object.oid, pointer);
  }
  await check.check(ctx, repo.id);
  const encode = () => encodeAll(pack, reader, objects, pointers);
  const rows: EncodedObject[] = [];
  const isHeld = all.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) <= HELD_BYTES;
  if (isHeld) for await (const row of encode()) rows.push(row);
  return { commits, rows: isHeld ? rows : null, encode, files: check.files };
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
  rows: AsyncIterable<EncodedObject>,
): Promise<void> {
  let batch: EncodedObject[] = [];
  let bytes = 0;
  for await (const row of rows) {
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

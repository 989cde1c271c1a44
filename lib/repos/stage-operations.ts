import { setImmediate } from 'node:timers/promises';
import { hubError } from '#lib/base/errors.ts';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { checkPath } from './check-path.ts';
import { findFiles } from './files/find-files.ts';
import { insertObjects } from './git/db.ts';
import { formatPointer, parsePointer } from './git/lfs-pointer.ts';
import { type EncodedObject, encodeObject, KIND } from './git/objects.ts';
import type { StagedOperation } from './plan-commit.ts';
import { requireRoom } from './storage/require-room.ts';
import type { CommitOperation } from './types.ts';
import { validateCard } from './validate-card.ts';

const MAX_OPERATIONS = 25_000;
const MAX_REGULAR_BYTES = 10 * 1024 * 1024;
/** Deflated blobs beyond this are written before the commit's transaction, so that memory stays bounded. */
const SPILL_BYTES = 32 * 1024 * 1024;

export interface StagedCommit {
  readonly operations: StagedOperation[];
  /** Blobs not yet written. */
  readonly objects: EncodedObject[];
  /** Large files that the operations name; the repo held them when this was made. */
  readonly files: readonly Sha256[];
}

interface LargeFile {
  readonly index: number;
  readonly path: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number | null;
  /** The operation brought the pointer's text itself; it is kept byte for byte. */
  readonly isText: boolean;
}

/**
 * Takes the operations one by one as they arrive: checks paths and sizes, turns contents into blobs, and requires
 * for every large file (an `lfsFile`, or a `file` whose content is a pointer) that this repo holds its bytes.
 * Throws invalid_path, invalid_input, invalid_object, quota_exceeded. Nothing becomes visible: blobs written early are
 * unreachable until a ref moves. A repo that is being created (null) holds no large files yet, and nothing is
 * written early.
 */
export async function stageOperations(
  ctx: Pick<Ctx, 'db' | 'config' | 'signal'>,
  repoId: RepoId | null,
  source: Iterable<CommitOperation> | AsyncIterable<CommitOperation>,
): Promise<StagedCommit> {
  const operations: StagedOperation[] = [];
  const large: LargeFile[] = [];
  let objects: EncodedObject[] = [];
  let bytes = 0;
  const keep = async (object: EncodedObject) => {
    objects.push(object);
    bytes += object.data.length;
    if (bytes < SPILL_BYTES || repoId === null) return;
    await insertObjects(ctx.db, repoId, objects);
    objects = [];
    bytes = 0;
  };
  for await (const operation of source) {
    ctx.signal.throwIfAborted();
    if (operations.length % 100 === 99) await setImmediate(); // let others in: a stream may never really wait
    if (operations.length === MAX_OPERATIONS)
      throw hubError('invalid_input', `A commit may hold at most ${MAX_OPERATIONS} operations; split it up`);
    const staged = await stageOne(operation, operations.length, large);
    operations.push(staged.operation);
    if (staged.blob) await keep(staged.blob);
  }
  if (operations.length === 0)
    throw hubError('invalid_input', 'Add a line with the key `lfsFile`, `file` or `deletedFile`');
  for (const [index, pointer] of await backedPointers(ctx, repoId, large)) {
    const path = operations[index]?.path as string;
    operations[index] = { kind: 'put', path, oid: pointer.oid, isLfs: true };
    await keep(pointer);
  }
  return { operations, objects, files: large.map((file) => file.sha256) };
}

async function stageOne(
  operation: CommitOperation,
  index: number,
  large: LargeFile[],
): Promise<{ operation: StagedOperation; blob?: EncodedObject }> {
  const isDelete = operation.kind !== 'file' && operation.kind !== 'lfsFile';
  const path = isDelete ? operation.path.replace(/\/$/, '') : operation.path;
  checkPath(path);
  if (isDelete) return { operation: { kind: operation.kind, path } };
  if (operation.kind === 'lfsFile') {
    large.push({ index, path, sha256: operation.sha256, sizeBytes: operation.sizeBytes, isText: false });
    return { operation: { kind: 'deleteFile', path } }; // its place; replaced once the pointer is known
  }
  const { content } = operation;
  checkContent(path, content);
  const pointer = parsePointer(content);
  const blob = await encodeObject(KIND.blob, content, pointer ?? undefined);
  if (pointer) large.push({ index, path, ...pointer, isText: true });
  const isAttributes = path === '.gitattributes' || path.endsWith('/.gitattributes');
  const put = { kind: 'put' as const, path, oid: blob.oid, isLfs: pointer !== null };
  return { operation: isAttributes ? { ...put, attributes: content.toString('utf8') } : put, blob };
}

function checkContent(path: string, content: Buffer): void {
  if (content.length > MAX_REGULAR_BYTES)
    throw hubError(
      'invalid_input',
      `${JSON.stringify(path)} has ${content.length} bytes; a regular file may have at most 10 MiB. Upload it as a large file (Xet or Git LFS).`,
    );
  if (path !== 'README.md') return;
  const { errors } = validateCard(content.toString('utf8'));
  if (errors.length > 0)
    throw hubError('invalid_input', `Invalid metadata in README.md: ${errors.join('; ')}`, {
      details: { errors },
    });
}

/** The pointer blob of every `lfsFile`, by its operation's index; refuses large files that this repo does not hold. */
async function backedPointers(
  ctx: Pick<Ctx, 'db' | 'config'>,
  repoId: RepoId | null,
  large: readonly LargeFile[],
): Promise<Map<number, EncodedObject>> {
  const pointers = new Map<number, EncodedObject>();
  if (large.length === 0) return pointers;
  const wanted = [...new Set(large.map((file) => file.sha256))];
  const files = repoId === null ? new Map() : await findFiles(ctx.db, repoId, wanted);
  if (repoId !== null) await requireRoom(ctx, repoId, 0); // a limit may have been lowered since they were uploaded
  for (const { index, path, sha256, sizeBytes, isText } of large) {
    const file = files.get(sha256);
    const where = `${JSON.stringify(path)} (oid ${sha256})`;
    if (file === undefined)
      throw hubError('invalid_object', `${where}: this repository does not hold the file. Upload it first.`, {
        details: { path, oid: sha256 },
      });
    if (sizeBytes !== null && sizeBytes !== file.sizeBytes)
      throw hubError(
        'invalid_object',
        `${where}: the size is given as ${sizeBytes}, but the uploaded file has ${file.sizeBytes} bytes`,
        { details: { path, oid: sha256 } },
      );
    const facts = { sha256, sizeBytes: file.sizeBytes };
    if (!isText) pointers.set(index, await encodeObject(KIND.blob, formatPointer(facts), facts));
  }
  return pointers;
}

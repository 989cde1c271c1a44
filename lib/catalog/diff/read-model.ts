import { isHubError } from '#lib/base/errors.ts';
import type { Oid, Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { describeEntries } from '#lib/repos/describe-entries.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { findEntry } from '#lib/repos/find-entry.ts';
import { readTree } from '#lib/repos/git/read-trees.ts';
import { MODE } from '#lib/repos/git/tree.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import type { Repo, TreeEntry } from '#lib/repos/types.ts';
import { readRange } from '../read-range.ts';
import { selectDigests, type TensorDigest } from './db.ts';
import { hashTensors } from './hash-tensors.ts';
import { folderOf, isWeights, modelOf } from './model-views.ts';
import { readLayout } from './read-layout.ts';
import type { TensorRecord } from './types.ts';

/** A tensor, and the stored file that it is in; null for a file that lies in git itself. */
export interface PlacedTensor extends TensorRecord {
  readonly file: Sha256 | null;
}

export interface ModelSide {
  readonly files: readonly string[];
  readonly sizeBytes: number;
  readonly tensors: readonly PlacedTensor[];
  /** Why a file of it is no weights file; null when all are. */
  readonly invalid: string | null;
  /** Stored files whose tensors are not hashed yet. */
  readonly unhashed: readonly Sha256[];
}

const MAX_SHARDS = 500;
const PARALLEL = 4;

/** The files of a model in a tree: itself, or its shards. */
async function filesOf(ctx: Ctx, repo: Repo, tree: Oid, model: string): Promise<TreeEntry[]> {
  const folder = folderOf(model);
  const line = await findEntry(ctx.db, repo.id, tree, folder);
  if (line?.mode !== MODE.directory) return [];
  const { lines } = await readTree(ctx.db, repo.id, line.oid);
  const placed = lines.map((each) => ({
    path: folder === '' ? each.name : `${folder}/${each.name}`,
    line: each,
  }));
  const shards = placed.filter(({ path }) => isWeights(path) && modelOf(path) === model);
  return describeEntries(ctx.db, repo.id, shards.slice(0, MAX_SHARDS));
}

interface FileTensors {
  readonly digest: TensorDigest;
  readonly sha256: Sha256 | null;
  readonly isHashed: boolean;
}

/** Tensors of a file that lies in git itself: at most 10 MiB, hashed on the spot. */
async function readSmall(ctx: Ctx, repo: Repo, entry: TreeEntry): Promise<FileTensors> {
  const bytes = await readBlob(ctx.db, repo.id, entry.oid);
  const { format, tensors } = await readLayout(
    async (start, end) => bytes.subarray(start, end + 1),
    bytes.length,
  );
  const hashed = await hashTensors(
    (async function* () {
      yield bytes;
    })(),
    tensors,
  );
  return { digest: { state: 'ready', format, tensors: hashed.tensors }, sha256: null, isHashed: true };
}

/** Tensors of a stored file that nobody hashed yet: what its header says. */
async function readHeader(ctx: Ctx, repo: Repo, sha256: Sha256): Promise<FileTensors> {
  const file = (await findFiles(ctx.db, repo.id, [sha256])).get(sha256);
  if (file === undefined)
    return { digest: { state: 'invalid', reason: 'its bytes are not stored here' }, sha256, isHashed: true };
  const layout = await readLayout(readRange(ctx, file, ctx.signal), file.sizeBytes);
  return { digest: { state: 'ready', ...layout }, sha256, isHashed: false };
}

async function readFile(
  ctx: Ctx,
  repo: Repo,
  entry: TreeEntry,
  digests: ReadonlyMap<Sha256, TensorDigest>,
): Promise<FileTensors> {
  const sha256 = entry.lfs?.sha256 ?? null;
  const known = sha256 === null ? undefined : digests.get(sha256);
  if (known !== undefined) return { digest: known, sha256, isHashed: true };
  try {
    return sha256 === null ? await readSmall(ctx, repo, entry) : await readHeader(ctx, repo, sha256);
  } catch (error) {
    if (!isHubError(error) || error.code !== 'invalid_object') throw error;
    return { digest: { state: 'invalid', reason: error.message }, sha256, isHashed: true };
  }
}

/**
 * One side of a model: the tensors of its file or of all its shards, with hashes where they are known, else from the
 * headers. What is wrong with a file is a verdict (`invalid`), not an error.
 */
export async function readModel(
  ctx: Ctx,
  repo: Repo,
  tree: Oid | null,
  model: string | null,
): Promise<ModelSide> {
  const entries = tree === null || model === null ? [] : await filesOf(ctx, repo, tree, model);
  const large = entries.flatMap((entry) => (entry.lfs ? [entry.lfs.sha256] : []));
  const digests = await selectDigests(ctx.db, repo.id, large);
  const read: FileTensors[] = [];
  for (let at = 0; at < entries.length; at += PARALLEL) {
    const batch = entries.slice(at, at + PARALLEL);
    read.push(...(await Promise.all(batch.map((entry) => readFile(ctx, repo, entry, digests)))));
  }
  const invalid = read.flatMap(({ digest }, i) =>
    digest.state === 'invalid' ? [`${entries[i]?.path}: ${digest.reason}`] : [],
  );
  return {
    files: entries.map((entry) => entry.path),
    sizeBytes: entries.reduce((sum, entry) => sum + entry.sizeBytes, 0),
    tensors: read.flatMap(({ digest, sha256 }) =>
      digest.state === 'ready' ? digest.tensors.map((tensor) => ({ ...tensor, file: sha256 })) : [],
    ),
    invalid: invalid[0] ?? null,
    unhashed: read.flatMap(({ isHashed, sha256 }) => (isHashed || sha256 === null ? [] : [sha256])),
  };
}

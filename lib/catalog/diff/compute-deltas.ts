import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { type ReadRange, readRange } from '../read-range.ts';
import { insertDeltas, selectDeltas, selectDigests } from './db.ts';
import { isMeasurable, measureDelta } from './measure-delta.ts';
import type { TensorDelta, TensorRecord } from './types.ts';

/** Tensors measured of a pair of files: the first ones in the order of the file. */
const MAX_MEASURED = 2_000;
const PARALLEL = 4;

/** Tensors of the same name in both files whose content differs and whose distance can be measured. */
function toMeasure(
  before: readonly TensorRecord[],
  after: readonly TensorRecord[],
): [TensorRecord, TensorRecord][] {
  const old = new Map(before.map((tensor) => [tensor.name, tensor]));
  const pairs = after.flatMap((tensor): [TensorRecord, TensorRecord][] => {
    const same = old.get(tensor.name);
    const isWanted = same !== undefined && same.hash !== tensor.hash && isMeasurable(same, tensor);
    return isWanted ? [[same, tensor]] : [];
  });
  return pairs.slice(0, MAX_MEASURED);
}

/** Pairs that this process is at. */
const atWork = new Set<string>();

/**
 * Handler of tensorDeltasWanted: measures the changed tensors of two files and writes the result down for good. Needs
 * both digests; without them, or when this repo no longer holds the files, it is done without a result. Running it
 * again changes nothing. Throws, to be retried, when the store could not be read.
 */
export async function computeDeltas(
  app: App,
  job: { repoId: number; before: string; after: string },
  signal?: AbortSignal,
): Promise<void> {
  const repoId = job.repoId as RepoId;
  const [before, after] = [job.before as Sha256, job.after as Sha256];
  if ((await selectDeltas(app.db, before, after)) !== null) return;
  const digests = await selectDigests(app.db, repoId, [before, after]);
  const files = await findFiles(app.db, repoId, [before, after]);
  const [old, now] = [digests.get(before), digests.get(after)];
  const [oldFile, newFile] = [files.get(before), files.get(after)];
  if (old?.state !== 'ready' || now?.state !== 'ready' || !oldFile || !newFile) return;
  const [readOld, readNew] = [readRange(app, oldFile, signal), readRange(app, newFile, signal)];
  const key = `${before} ${after}`;
  if (atWork.has(key)) return;
  atWork.add(key);
  const measured = measureAll(readOld, readNew, toMeasure(old.tensors, now.tensors), signal);
  const deltas = await measured.finally(() => atWork.delete(key));
  await insertDeltas(app.db, before, after, deltas);
}

async function measureAll(
  readOld: ReadRange,
  readNew: ReadRange,
  pairs: readonly (readonly [TensorRecord, TensorRecord])[],
  signal?: AbortSignal,
): Promise<Map<string, TensorDelta>> {
  const deltas = new Map<string, TensorDelta>();
  for (let at = 0; at < pairs.length; at += PARALLEL) {
    signal?.throwIfAborted();
    const batch = pairs.slice(at, at + PARALLEL);
    const measured = await Promise.all(batch.map(([a, b]) => measureDelta(readOld, a, readNew, b)));
    batch.forEach(([, { name }], i) => deltas.set(name, measured[i] as TensorDelta));
  }
  return deltas;
}

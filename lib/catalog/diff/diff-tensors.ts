import { transaction } from '#lib/base/db.ts';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { listChanges } from '#lib/repos/diff/list-changes.ts';
import { resolveRange } from '#lib/repos/diff/resolve-range.ts';
import type { Range, ResolvedRange } from '#lib/repos/diff/types.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { compareTensors, summarize } from './compare-tensors.ts';
import { selectDeltas } from './db.ts';
import { tensorDeltasWanted } from './jobs.ts';
import { layerStrip, type StripCell } from './layer-strip.ts';
import { isMeasurable } from './measure-delta.ts';
import { changedModels, type ModelPair } from './model-views.ts';
import { type ModelSide, type PlacedTensor, readModel } from './read-model.ts';
import type { TensorDelta, TensorRow, TensorSummary } from './types.ts';
import { wantDigests } from './want-digests.ts';

/** How the tensors of one model differ. */
export interface ModelDiff {
  /** Path of the model in head, else in base; of shards without their number. */
  readonly name: string;
  /** Its path in base, when that is another one. */
  readonly oldName: string | null;
  readonly before: Pick<ModelSide, 'files' | 'sizeBytes'>;
  readonly after: Pick<ModelSide, 'files' | 'sizeBytes'>;
  /** Why it cannot be compared; null when it can. */
  readonly invalid: string | null;
  /** `hashing`: contents are being hashed, so far only headers were compared. `measuring`: distances are to come. */
  readonly state: 'ready' | 'hashing' | 'measuring';
  readonly summary: TensorSummary;
  readonly strip: readonly StripCell[];
  /** What differs first; at most 5,000. */
  readonly rows: readonly TensorRow[];
}

const MAX_FILES = 10_000;
const MAX_MODELS = 20;
const MAX_ROWS = 5_000;
const MAX_PAIRS = 200;
const ORDER = { changed: 0, retyped: 1, added: 2, removed: 3, renamed: 4, unknown: 5, unchanged: 6 } as const;

/** Pairs of stored files that hold a changed tensor on both sides, and the names that are to be measured in them. */
function filePairs(before: ModelSide, after: ModelSide, rows: readonly TensorRow[]): Map<string, string[]> {
  const old = new Map(before.tensors.map((tensor) => [tensor.name, tensor]));
  const now = new Map(after.tensors.map((tensor) => [tensor.name, tensor]));
  const pairs = new Map<string, string[]>();
  for (const { name, fate } of rows) {
    if (fate !== 'changed' && fate !== 'retyped') continue;
    const [a, b] = [old.get(name) as PlacedTensor, now.get(name) as PlacedTensor];
    if (a.file === null || b.file === null || !isMeasurable(a, b)) continue;
    const key = `${a.file} ${b.file}`;
    pairs.set(key, [...(pairs.get(key) ?? []), name]);
  }
  return pairs;
}

/** Distances that were measured, and the pairs of files that nobody measured yet. */
async function findDeltas(ctx: Ctx, pairs: Iterable<string>) {
  const deltas = new Map<string, TensorDelta>();
  const missing: (readonly [Sha256, Sha256])[] = [];
  for (const key of [...pairs].slice(0, MAX_PAIRS)) {
    const [before, after] = key.split(' ') as [Sha256, Sha256];
    const known = await selectDeltas(ctx.db, before, after);
    if (known === null) missing.push([before, after]);
    else for (const [name, delta] of known) deltas.set(name, delta);
  }
  return { deltas, missing };
}

async function wantDeltas(
  ctx: Ctx,
  repoId: RepoId,
  pairs: readonly (readonly [Sha256, Sha256])[],
): Promise<void> {
  if (pairs.length === 0) return;
  await transaction(ctx.db, async (tx) => {
    for (const [before, after] of pairs)
      await ctx.queue.enqueue(
        tx,
        tensorDeltasWanted,
        { repoId, before, after },
        { key: `${before}${after}` },
      );
  });
}

async function diffModel(ctx: Ctx, range: ResolvedRange, pair: ModelPair): Promise<ModelDiff> {
  const { repo } = range;
  const [before, after] = await Promise.all([
    readModel(ctx, repo, range.fromTree, pair.before),
    readModel(ctx, repo, range.toTree, pair.after),
  ]);
  const invalid = after.invalid ?? before.invalid;
  const unhashed = invalid === null ? [...before.unhashed, ...after.unhashed] : [];
  const compared = invalid === null ? compareTensors(before.tensors, after.tensors) : [];
  const isHashed = unhashed.length === 0;
  const pairs = isHashed ? filePairs(before, after, compared) : new Map<string, string[]>();
  const { deltas, missing } = await findDeltas(ctx, pairs.keys());
  await wantDigests(ctx, repo.id, unhashed);
  await wantDeltas(ctx, repo.id, missing);
  const rows = compared.map((row) => {
    const delta = row.fate === 'changed' || row.fate === 'retyped' ? deltas.get(row.name) : undefined;
    return delta === undefined ? row : { ...row, delta };
  });
  const name = pair.after ?? pair.before ?? '';
  return {
    name,
    oldName: pair.before !== null && pair.before !== name ? pair.before : null,
    before: { files: before.files, sizeBytes: before.sizeBytes },
    after: { files: after.files, sizeBytes: after.sizeBytes },
    invalid,
    state: !isHashed ? 'hashing' : missing.length > 0 ? 'measuring' : 'ready',
    summary: summarize(rows),
    strip: layerStrip(rows),
    rows: rows.toSorted((a, b) => ORDER[a.fate] - ORDER[b.fate]).slice(0, MAX_ROWS),
  };
}

/**
 * How the weights differ between two revisions, model by model (shards are one model): which tensors were added,
 * removed, renamed, retyped or changed, and how far the changed ones are apart. Headers are compared at once; hashes
 * and distances are computed by the worker, asked for here, and there the next time. Reads everything through the
 * repo's own edges. Throws repo_not_found, revision_not_found.
 */
export async function diffTensors(
  ctx: Ctx,
  ref: RepoRef,
  range: Range,
): Promise<{ models: ModelDiff[]; isComplete: boolean }> {
  const resolved = await resolveRange(ctx, ref, range);
  const { files, isComplete } = await listChanges(ctx.db, resolved, MAX_FILES);
  const pairs = changedModels(files);
  const models: ModelDiff[] = [];
  for (const pair of pairs.slice(0, MAX_MODELS)) models.push(await diffModel(ctx, resolved, pair));
  return { models, isComplete: isComplete && pairs.length <= MAX_MODELS };
}

import type { ChangedFile } from '#lib/repos/diff/types.ts';

const WEIGHTS = /\.(safetensors|gguf)$/i;
const SHARD = /-\d{5}-of-\d{5}(?=\.\w+$)/;

/** A model as one thing, whether it is one file or many shards; `key` null on the side where it is not. */
export interface ModelPair {
  readonly before: string | null;
  readonly after: string | null;
}

/** Whether a file holds weights that can be compared tensor by tensor. */
export function isWeights(path: string): boolean {
  return WEIGHTS.test(path);
}

/** The model that a weights file is, or is a part of: its path without the number of the shard. */
export function modelOf(path: string): string {
  return path.replace(SHARD, '');
}

/** The folder of a path, '' for the root. */
export function folderOf(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
}

const formatOf = (model: string) => model.slice(model.lastIndexOf('.')).toLowerCase();

/**
 * The models that a comparison touches. One that disappeared and one that appeared in the same folder and format are
 * taken for the same model, when there is just one of each: a quantisation under another name.
 */
export function changedModels(files: readonly ChangedFile[]): ModelPair[] {
  const pairs = new Map<string, ModelPair>();
  for (const { path, oldPath, before, after } of files) {
    if (!isWeights(path) || before?.oid === after?.oid) continue;
    const pair = { before: before && modelOf(oldPath ?? path), after: after && modelOf(path) };
    const key = pair.after ?? pair.before ?? '';
    const known = pairs.get(key);
    pairs.set(key, { before: known?.before ?? pair.before, after: known?.after ?? pair.after });
  }
  const all = [...pairs.values()];
  const placeOf = (model: string) => `${folderOf(model)} ${formatOf(model)}`;
  const gone = Map.groupBy(
    all.filter((pair) => pair.after === null),
    (pair) => placeOf(pair.before ?? ''),
  );
  const come = Map.groupBy(
    all.filter((pair) => pair.before === null),
    (pair) => placeOf(pair.after ?? ''),
  );
  return all.flatMap((pair): ModelPair[] => {
    const place = placeOf(pair.after ?? pair.before ?? '');
    const [old, ...olds] = gone.get(place) ?? [];
    const [now, ...news] = come.get(place) ?? [];
    const isOne = old && now && olds.length === 0 && news.length === 0;
    if (!isOne || (pair !== old && pair !== now)) return [pair];
    return pair === now ? [{ before: old.before, after: now.after }] : [];
  });
}

import type { TensorFacts, TensorFate, TensorRecord, TensorRow, TensorSummary } from './types.ts';

const factsOf = ({ dtype, shape, sizeBytes }: TensorRecord): TensorFacts => ({ dtype, shape, sizeBytes });
const sameForm = (a: TensorRecord, b: TensorRecord) =>
  a.dtype === b.dtype && a.shape.length === b.shape.length && a.shape.every((n, i) => n === b.shape[i]);
const keyOf = (tensor: TensorRecord) => `${tensor.hash} ${tensor.dtype} ${tensor.shape.join('x')}`;

function fateOf(before: TensorRecord, after: TensorRecord): TensorFate {
  if (!sameForm(before, after)) return 'retyped';
  if (before.hash === null || after.hash === null) return 'unknown';
  return before.hash === after.hash ? 'unchanged' : 'changed';
}

/** Removed tensors by their content, to be found again under another name; empty ones are all alike and left out. */
function byContent(tensors: readonly TensorRecord[]): Map<string, TensorRecord[]> {
  const found = tensors.filter((tensor) => tensor.hash !== null && tensor.sizeBytes > 0);
  return Map.groupBy(found, keyOf);
}

/**
 * What happened to each tensor, in the order of head, then what was removed. Same bytes, type and shape under another
 * name are a rename. Linear in the number of tensors.
 */
export function compareTensors(before: readonly TensorRecord[], after: readonly TensorRecord[]): TensorRow[] {
  const old = new Map(before.map((tensor) => [tensor.name, tensor]));
  const now = new Set(after.map((tensor) => tensor.name));
  const lost = before.filter((tensor) => !now.has(tensor.name));
  const candidates = byContent(lost);
  const moved = new Set<string>();
  const rows = after.map((tensor): TensorRow => {
    const { name } = tensor;
    const same = old.get(name);
    const common = { name, after: factsOf(tensor), delta: null };
    if (same) return { ...common, oldName: null, fate: fateOf(same, tensor), before: factsOf(same) };
    const origin = tensor.hash === null ? undefined : candidates.get(keyOf(tensor))?.shift();
    if (origin === undefined) return { ...common, oldName: null, fate: 'added', before: null };
    moved.add(origin.name);
    return { ...common, oldName: origin.name, fate: 'renamed', before: factsOf(origin) };
  });
  const removed = lost.filter((tensor) => !moved.has(tensor.name));
  return [
    ...rows,
    ...removed.map((tensor): TensorRow => {
      const { name } = tensor;
      return { name, oldName: null, fate: 'removed', before: factsOf(tensor), after: null, delta: null };
    }),
  ];
}

/** The numbers of a comparison. Bytes of tensors that are not hashed yet count as not shared. */
export function summarize(rows: readonly TensorRow[]): TensorSummary {
  const fates = { added: 0, removed: 0, renamed: 0, retyped: 0, changed: 0, unchanged: 0, unknown: 0 };
  let [sharedBytes, totalBytes] = [0, 0];
  for (const { fate, after } of rows) {
    fates[fate]++;
    totalBytes += after?.sizeBytes ?? 0;
    if (fate === 'unchanged' || fate === 'renamed') sharedBytes += after?.sizeBytes ?? 0;
  }
  const different = fates.added + fates.removed + fates.retyped + fates.changed;
  return { total: rows.length, different, fates, sharedBytes, totalBytes };
}

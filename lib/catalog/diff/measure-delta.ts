import type { ReadRange } from '../read-range.ts';
import { elementType } from './decode-elements.ts';
import type { TensorDelta, TensorRecord } from './types.ts';

/** Elements compared of a tensor at most, in runs that lie evenly over it. */
const MAX_SAMPLED = 65_536;
const RUN = 4_096;
/** Runs begin at multiples of this, so that they begin with a block of every type. */
const ALIGN = 256;

const countOf = (tensor: TensorRecord) => tensor.shape.reduce((product, n) => product * n, 1);

/** Whether the distance of two tensors can be measured: as many elements, of types whose values we read. */
export function isMeasurable(before: TensorRecord, after: TensorRecord): boolean {
  const [a, b] = [elementType(before.dtype), elementType(after.dtype)];
  const count = countOf(after);
  if (a === undefined || b === undefined || count === 0 || count !== countOf(before)) return false;
  return count % a.elements === 0 && count % b.elements === 0;
}

/** Where the runs of a tensor of `count` elements begin, and how long they are: always the same ones. */
function sampleRuns(count: number): { start: number; length: number }[] {
  if (count <= MAX_SAMPLED) return [{ start: 0, length: count }];
  const runs = MAX_SAMPLED / RUN;
  const last = count - RUN;
  return Array.from({ length: runs }, (_, i) => {
    const start = Math.floor((last * i) / (runs - 1) / ALIGN) * ALIGN;
    return { start, length: RUN };
  });
}

async function readElements(
  read: ReadRange,
  tensor: TensorRecord,
  run: { start: number; length: number },
): Promise<Float64Array> {
  const type = elementType(tensor.dtype);
  if (type === undefined) throw new Error(`no reader of ${tensor.dtype}`);
  const from = tensor.start + (run.start / type.elements) * type.bytes;
  const bytes = (run.length / type.elements) * type.bytes;
  const out = new Float64Array(run.length);
  type.decode(await read(from, from + bytes - 1), out);
  return out;
}

/**
 * How far two tensors are apart, over at most 65,536 elements at fixed places, read by ranges. Elements that are not
 * finite on either side are left out.
 */
export async function measureDelta(
  readBefore: ReadRange,
  before: TensorRecord,
  readAfter: ReadRange,
  after: TensorRecord,
): Promise<TensorDelta> {
  let [squares, normA, normB, dot, maxAbs, sampled] = [0, 0, 0, 0, 0, 0];
  for (const run of sampleRuns(countOf(after))) {
    const [a, b] = await Promise.all([
      readElements(readBefore, before, run),
      readElements(readAfter, after, run),
    ]);
    for (let i = 0; i < run.length; i++) {
      const [x, y] = [a[i] as number, b[i] as number];
      if (!Number.isFinite(x) || !Number.isFinite(y)) continue;
      const difference = y - x;
      squares += difference * difference;
      normA += x * x;
      normB += y * y;
      dot += x * y;
      maxAbs = Math.max(maxAbs, Math.abs(difference));
      sampled++;
    }
  }
  const relative = normA > 0 ? Math.sqrt(squares / normA) : squares === 0 ? 0 : null;
  const cosine = normA > 0 && normB > 0 ? Math.min(1, dot / Math.sqrt(normA * normB)) : null;
  const finite = (value: number | null) => (value !== null && Number.isFinite(value) ? value : null);
  return {
    relative: finite(relative),
    maxAbs: finite(maxAbs) ?? Number.MAX_VALUE,
    cosine: finite(cosine),
    sampled,
  };
}

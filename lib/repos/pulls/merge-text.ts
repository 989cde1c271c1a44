import { isUtf8 } from 'node:buffer';
import { diff3Merge } from 'node-diff3';

/** Larger files are left to people. */
const MAX_BYTES = 1024 * 1024;
/** Steps of a comparison, at worst: keeps hostile files (the same line 50,000 times) cheap. */
const MAX_STEPS = 150_000_000;

/** Lines with their line ends, so that a last line without one differs from one with it. */
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** Each pair of equal lines may be compared with each line of the longest common sequence. */
function steps(a: readonly string[], b: readonly string[]): number {
  const counts = new Map<string, number>();
  for (const line of a) counts.set(line, (counts.get(line) ?? 0) + 1);
  const pairs = b.reduce((sum, line) => sum + (counts.get(line) ?? 0), 0);
  return (pairs * Math.min(a.length, b.length)) / 2;
}

/** How many lines all three have at one end. */
function sharedEnd(
  texts: readonly (readonly string[])[],
  lineAt: (text: readonly string[], n: number) => string | undefined,
): number {
  const shortest = Math.min(...texts.map((text) => text.length));
  let n = 0;
  while (n < shortest && texts.every((text) => lineAt(text, n) === lineAt(texts[0] as readonly string[], n)))
    n++;
  return n;
}

type Lines3 = [string[], string[], string[]];

/** Whether git would treat it as text: it looks for a NUL. */
const isText = (bytes: Buffer) => bytes.length <= MAX_BYTES && !bytes.includes(0) && isUtf8(bytes);

/**
 * Merges the lines of two descendants of a text; null when both changed the same or neighbouring lines, or when one is
 * no text, too large (1 MiB) or too repetitive to compare. Pure; bounded work.
 */
export function mergeText(base: Buffer, ours: Buffer, theirs: Buffer): Buffer | null {
  if (![base, ours, theirs].every(isText)) return null;
  const [o, a, b] = [base, ours, theirs].map((bytes) => linesOf(bytes.toString('utf8'))) as Lines3;
  const head = sharedEnd([o, a, b], (text, n) => text[n]);
  const rest = [o, a, b].map((text) => text.slice(head));
  const tail = sharedEnd(rest, (text, n) => text.at(-1 - n));
  const [middleO, middleA, middleB] = rest.map((text) => text.slice(0, text.length - tail)) as Lines3;
  if (steps(middleO, middleA) > MAX_STEPS || steps(middleO, middleB) > MAX_STEPS) return null;
  const merged: string[] = o.slice(0, head);
  for (const region of diff3Merge(middleA, middleO, middleB, { excludeFalseConflicts: true })) {
    if (region.ok === undefined) return null;
    for (const line of region.ok) merged.push(line);
  }
  merged.push(...o.slice(o.length - tail));
  return Buffer.from(merged.join(''), 'utf8');
}

/**
 * Merges two descendants of a `.gitattributes`, whose lines both sides append: where they cannot be merged line by
 * line, ours stands with those lines of theirs that it lacks below it, as git's union driver does.
 */
export function mergeAttributes(base: Buffer, ours: Buffer, theirs: Buffer): Buffer | null {
  const merged = mergeText(base, ours, theirs);
  if (merged !== null || ![base, ours, theirs].every(isText)) return merged;
  const own = linesOf(ours.toString('utf8'));
  const known = new Set([...linesOf(base.toString('utf8')), ...own].map((line) => line.trimEnd()));
  const added = linesOf(theirs.toString('utf8')).filter((line) => !known.has(line.trimEnd()));
  const text = [...own, ...added].map((line) => `${line.trimEnd()}\n`).join('');
  return Buffer.from(text, 'utf8');
}

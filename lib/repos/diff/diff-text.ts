import { type ChangeObject, diffArrays } from 'diff';
import { changedRanges } from './changed-ranges.ts';
import type { DiffLine, Hunk, TextDiff } from './types.ts';

export interface TextDiffOptions {
  /** Unchanged lines kept around each change. */
  readonly context: number;
  /** Time for the alignment of lines. */
  readonly timeoutMs: number;
  /** Whether to look for what changed inside of lines. */
  readonly withRanges: boolean;
}

/** More edits than this are not searched for: memory grows with them. */
const MAX_EDITS = 20_000;
/** Pairs of lines that are compared character by character; further ones are shown without. */
const MAX_RANGE_PAIRS = 2_000;

/** A stretch of lines: kept (in both), removed (old only) or added (new only). */
interface Run {
  readonly kind: 'kept' | 'removed' | 'added';
  readonly count: number;
}

/** Lines with their line ends; the last may have none. */
function splitLines(text: string): string[] {
  const lines = text.split('\n');
  const last = lines.pop() as string;
  const whole = lines.map((line) => `${line}\n`);
  return last === '' ? whole : [...whole, last];
}

/** Each distinct line as a number: comparing is then one machine instruction. */
function createNumbering(): (lines: readonly string[]) => number[] {
  const known = new Map<string, number>();
  return (lines) =>
    lines.map((line) => {
      const seen = known.get(line);
      if (seen !== undefined) return seen;
      known.set(line, known.size);
      return known.size - 1;
    });
}

const kindOf = (change: ChangeObject<unknown>): Run['kind'] =>
  change.added ? 'added' : change.removed ? 'removed' : 'kept';

/** The runs that lead from one list of lines to the other; what is equal at both ends costs nothing. */
function align(
  before: readonly string[],
  after: readonly string[],
  timeoutMs: number,
): { runs: Run[]; isAligned: boolean } {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head++;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++;
  const number = createNumbering();
  const [old, now] = [
    number(before.slice(head, before.length - tail)),
    number(after.slice(head, after.length - tail)),
  ];
  const changes =
    old.length === 0 || now.length === 0
      ? undefined
      : diffArrays(old, now, { timeout: timeoutMs, maxEditLength: MAX_EDITS });
  const middle: Run[] = changes?.map((change) => ({ kind: kindOf(change), count: change.count })) ?? [
    { kind: 'removed', count: old.length },
    { kind: 'added', count: now.length },
  ];
  const runs: Run[] = [{ kind: 'kept', count: head }, ...middle, { kind: 'kept', count: tail }];
  const isAligned = changes !== undefined || old.length === 0 || now.length === 0;
  return { runs: runs.filter((run) => run.count > 0), isAligned };
}

function lineOf(kind: DiffLine['kind'], raw: string, old: number | null, now: number | null): DiffLine {
  const isEnded = raw.endsWith('\n');
  const line = { kind, oldNumber: old, newNumber: now, text: isEnded ? raw.slice(0, -1) : raw };
  return isEnded ? line : { ...line, isUnended: true };
}

/** Collects lines into hunks, with `context` unchanged lines around each change. */
class HunkBuilder {
  readonly hunks: Hunk[] = [];
  #lines: DiffLine[] = [];
  #trailing = 0;
  /** Lines of each side before the first one of the hunk at work. */
  #start: readonly [old: number, now: number] = [0, 0];
  readonly #context: number;

  constructor(context: number) {
    this.#context = context;
  }

  /** A run of changed lines, with how many lines of each side stand before it. */
  change(lines: readonly DiffLine[], start: readonly [old: number, now: number]): void {
    if (this.#lines.length === 0) this.#start = start;
    for (const line of lines) this.#lines.push(line);
    this.#trailing = 0;
  }

  /** A run of kept lines, as a function so that only those that are shown are made. */
  keep(count: number, lineAt: (index: number) => DiffLine): void {
    const add = (from: number, to: number) => {
      for (let i = from; i < to; i++) this.#lines.push(lineAt(i));
      this.#trailing += to - from;
    };
    if (this.#lines.length > 0 && count <= 2 * this.#context) return add(0, count);
    if (this.#lines.length > 0) {
      add(0, this.#context);
      this.flush();
    }
    const first = Math.max(0, count - this.#context);
    if (first < count) this.#start = before(lineAt(first));
    add(first, count);
  }

  flush(): void {
    const lines = this.#lines;
    this.#lines = [];
    // a kept run at the end gave up to twice the context: only that much belongs to the hunk
    const surplus = Math.max(0, this.#trailing - this.#context);
    this.#trailing = 0;
    if (surplus > 0) lines.splice(lines.length - surplus);
    if (lines.every((line) => line.kind === 'context')) return;
    this.hunks.push(hunkOf(lines, this.#start));
  }
}

const before = ({ oldNumber, newNumber }: DiffLine) => [(oldNumber ?? 1) - 1, (newNumber ?? 1) - 1] as const;

/** Numbers as git writes them: a side without lines is said to start one line earlier. */
function hunkOf(lines: readonly DiffLine[], [old, now]: readonly [number, number]): Hunk {
  const oldLines = lines.filter((line) => line.kind !== 'added').length;
  const newLines = lines.filter((line) => line.kind !== 'removed').length;
  const [oldStart, newStart] = [oldLines === 0 ? old : old + 1, newLines === 0 ? now : now + 1];
  return { oldStart, oldLines, newStart, newLines, lines };
}

/** What was removed before what was added, as git shows it, with what changed inside of those that resemble each other. */
function withRanges(lines: readonly DiffLine[], budget: { pairs: number }): DiffLine[] {
  const removed = lines.filter((line) => line.kind === 'removed');
  const added = lines.filter((line) => line.kind === 'added');
  const result = [...removed, ...added];
  for (let i = 0; i < Math.min(removed.length, added.length) && budget.pairs > 0; i++, budget.pairs--) {
    const [old, now] = [removed[i] as DiffLine, added[i] as DiffLine];
    const ranges = changedRanges(old.text, now.text);
    if (ranges === null) continue;
    result[i] = { ...old, ranges: ranges.old };
    result[removed.length + i] = { ...now, ranges: ranges.now };
  }
  return result;
}

/**
 * The line diff of two texts in hunks. Never fails and never takes much longer than `timeoutMs`: texts that cannot be
 * aligned in that time are one block removed and one added, which is true if not short. Applying the hunks to
 * `before` gives `after` to the byte.
 */
export function diffText(before: string, after: string, options: TextDiffOptions): TextDiff {
  const [old, now] = [splitLines(before), splitLines(after)];
  const { runs, isAligned } = align(old, now, options.timeoutMs);
  const builder = new HunkBuilder(options.context);
  const budget = { pairs: options.withRanges ? MAX_RANGE_PAIRS : 0 };
  let [atOld, atNew, additions, deletions] = [0, 0, 0, 0];
  let changed: DiffLine[] = [];
  let start: readonly [number, number] = [0, 0];
  const flush = () => {
    if (changed.length > 0) builder.change(withRanges(changed, budget), start);
    changed = [];
  };
  for (const { kind, count } of runs) {
    if (kind === 'kept') {
      flush();
      const [o, n] = [atOld, atNew];
      builder.keep(count, (i) => lineOf('context', old[o + i] as string, o + i + 1, n + i + 1));
      atOld += count;
      atNew += count;
      start = [atOld, atNew];
    } else if (kind === 'removed') {
      for (let i = 0; i < count; i++, atOld++)
        changed.push(lineOf('removed', old[atOld] as string, atOld + 1, null));
      deletions += count;
    } else {
      for (let i = 0; i < count; i++, atNew++)
        changed.push(lineOf('added', now[atNew] as string, null, atNew + 1));
      additions += count;
    }
  }
  flush();
  builder.flush();
  return { hunks: builder.hunks, additions, deletions, isAligned };
}

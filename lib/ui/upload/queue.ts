import { overlapOf, type UploadItem, type UploadState, type UploadStep } from './upload-item.ts';

/** Sums over a queue. */
export interface QueueTotals {
  readonly files: number;
  readonly bytes: number;
  /** Bytes that are at the hub or on their way, with those that need not be sent. */
  readonly sentBytes: number;
  /** Bytes of files of which nothing was sent because the hub had them. */
  readonly storedBytes: number;
  readonly finished: number;
  /** Files that take the place of others in the repo, and those that are the same as what is there. */
  readonly overlaps: Readonly<Record<'replaces' | 'same', number>>;
  readonly states: Readonly<Record<UploadState, number>>;
}

const noStates = (): Record<UploadState, number> => ({
  waiting: 0,
  hashing: 0,
  sending: 0,
  checking: 0,
  paused: 0,
  stalled: 0,
  missing: 0,
  refused: 0,
  failed: 0,
  stored: 0,
  done: 0,
  ready: 0,
});

/** How much of a file needs no more sending. */
function sentOf(item: UploadItem): number {
  return item.step === 'finished' ? item.sizeBytes : Math.min(item.sentBytes, item.sizeBytes);
}

/**
 * The files of one upload in the order in which they came, with sums that are kept up to date: a change costs the
 * same with 10 files and with 10,000.
 */
export class Queue {
  private readonly items = new Map<string, UploadItem>();
  private readonly states = noStates();
  private bytes = 0;
  private sentBytes = 0;
  private storedBytes = 0;
  private finished = 0;
  private readonly overlaps = { none: 0, replaces: 0, same: 0 };
  private listed: readonly UploadItem[] | null = null;

  get size(): number {
    return this.items.size;
  }

  /** What remains to be sent. */
  get bytesLeft(): number {
    return this.bytes - this.sentBytes;
  }

  get(id: string): UploadItem | undefined {
    return this.items.get(id);
  }

  /** The same array until something changes. */
  list(): readonly UploadItem[] {
    this.listed ??= [...this.items.values()];
    return this.listed;
  }

  /** Adds a file, or puts it in the place of the one with its id. */
  put(item: UploadItem): void {
    const before = this.items.get(item.id);
    if (before) this.count(before, -1);
    this.count(item, 1);
    this.items.set(item.id, item);
    this.listed = null;
  }

  /** Changes a file if it is still there; returns what it is now. */
  patch(id: string, change: Partial<UploadItem>): UploadItem | undefined {
    const item = this.items.get(id);
    if (!item) return undefined;
    const next = { ...item, ...change };
    this.put(next);
    return next;
  }

  remove(id: string): void {
    const item = this.items.get(id);
    if (!item) return;
    this.count(item, -1);
    this.items.delete(id);
    this.listed = null;
  }

  totals(): QueueTotals {
    return {
      files: this.items.size,
      bytes: this.bytes,
      sentBytes: this.sentBytes,
      storedBytes: this.storedBytes,
      finished: this.finished,
      overlaps: { ...this.overlaps },
      states: { ...this.states },
    };
  }

  /** Those that wait for a step, at most `limit`, in the order in which they came. */
  waitingFor(step: UploadStep, limit: number = Number.POSITIVE_INFINITY): UploadItem[] {
    const found: UploadItem[] = [];
    if (this.states.waiting === 0) return found;
    for (const item of this.items.values()) {
      if (item.state !== 'waiting' || item.step !== step) continue;
      found.push(item);
      if (found.length >= limit) break;
    }
    return found;
  }

  /** The smallest or the largest file that waits for a step. */
  next(step: UploadStep, which: 'smallest' | 'largest'): UploadItem | undefined {
    let best: UploadItem | undefined;
    for (const item of this.waitingFor(step)) {
      if (!best || (which === 'smallest' ? item.sizeBytes < best.sizeBytes : item.sizeBytes > best.sizeBytes))
        best = item;
    }
    return best;
  }

  private count(item: UploadItem, sign: 1 | -1): void {
    this.states[item.state] += sign;
    this.overlaps[overlapOf(item)] += sign;
    this.bytes += sign * item.sizeBytes;
    this.sentBytes += sign * sentOf(item);
    if (item.state === 'stored') this.storedBytes += sign * item.sizeBytes;
    if (item.step === 'finished') this.finished += sign;
  }
}

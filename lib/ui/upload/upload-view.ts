import type { Room } from './preflight.ts';
import type { QueueTotals } from './queue.ts';
import type { UploadItem } from './upload-item.ts';

/** What the commit will say, kept while files are sent. */
export interface CommitDraft {
  readonly summary: string;
  readonly description: string;
  readonly asPullRequest: boolean;
}

/** What a page shows; a new object whenever something changed. */
export interface UploadView {
  readonly isLoaded: boolean;
  readonly isElsewhere: boolean;
  /** False: this browser keeps nothing, a reload forgets the queue. */
  readonly isKept: boolean;
  readonly items: readonly UploadItem[];
  readonly totals: QueueTotals;
  readonly bytesPerSecond: number | null;
  readonly msLeft: number | null;
  /** Why nothing goes on, in the hub's words; '' when the hub could not be reached to ask. */
  readonly blocked: string | null;
  readonly room: Room | null;
  /** Missing files that the browser gives after one click. */
  readonly askable: number;
  /** The one folder that all files were chosen with. */
  readonly top: string | null;
  readonly isFlat: boolean;
  readonly draft: CommitDraft;
}

/** Whether everything is in and can be committed. */
export function isComplete({ items, totals }: UploadView): boolean {
  return items.length > 0 && totals.finished === items.length && totals.states.missing === 0;
}

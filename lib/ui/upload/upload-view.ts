import type { Room } from './preflight.ts';
import type { QueueTotals } from './queue.ts';
import type { UploadItem } from './upload-item.ts';
import type { UploadRun } from './upload-run.ts';

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

/** The part of a draft's keeper that is the draft. */
export function draftOf({ summary, description, asPullRequest }: CommitDraft): CommitDraft {
  return { summary, description, asPullRequest };
}

type Moment = Pick<UploadView, 'isLoaded' | 'isElsewhere' | 'isKept' | 'bytesPerSecond' | 'msLeft'>;

/** A run as it is now. Called by the run, a few times a second at most. */
export function viewOf(run: UploadRun, moment: Moment): UploadView {
  const { queue, sources, blocked, room, isFlat, draft } = run;
  const [items, totals] = [queue.list(), queue.totals()];
  const hasMissing = totals.states.missing > 0;
  const askable = hasMissing ? items.filter((item) => sources.isAskable(item)).length : 0;
  return { ...moment, items, totals, blocked, room, askable, top: run.paths.top(), isFlat, draft };
}

/** Whether everything is in and can be committed. */
export function isComplete({ items, totals }: UploadView): boolean {
  return items.length > 0 && totals.finished === items.length && totals.states.missing === 0;
}

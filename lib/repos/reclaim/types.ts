import type { Queryable } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';

/** Who asked for a run, and how it shall go. */
export interface ReclaimOptions {
  readonly cause: 'command' | 'schedule' | 'page';
  readonly userId?: string | null;
  /** Only say what would go. */
  readonly isDry: boolean;
  /** Without grace: what is garbage now goes in this very run. Pins of client caches and the reflog still hold. */
  readonly isNow?: boolean;
  /** Go on where the brake would stop. */
  readonly isForced?: boolean;
  /** Raise the epoch of every domain, so that clients forget what they uploaded, and drop their pins. */
  readonly dropsPins?: boolean;
  /** Moment that ages are counted from; the database's now when absent. Tests look into the future with it. */
  readonly at?: Date;
  /** Says what it is at. */
  readonly onPhase?: (phase: string) => void;
  readonly signal?: AbortSignal;
}

/** What other domains keep alive in a repo: commits that endpoints are pinned to. */
export type PinnedCommits = (db: Queryable, repoId: RepoId) => Promise<Oid[]>;

/** One run at work. */
export interface Run {
  readonly app: Pick<App, 'db' | 'store' | 'config' | 'log'>;
  readonly id: number;
  readonly at: Date;
  /** How far that is from the real time: the store's clock is moved by as much. 0 but in tests. */
  readonly travelMs: number;
  readonly options: ReclaimOptions;
  readonly pinned: PinnedCommits;
  /** Rows (git objects, edges, objects, xorbs) younger than this are never garbage. */
  readonly graceMs: number;
  /** The same where not even `isNow` may shorten it. */
  readonly fullGraceMs: number;
  /** So long a doomed row waits. */
  readonly doomMs: number;
  /** So long a condemned xorb waits: links to it live for an hour. */
  readonly linkMs: number;
  readonly reflogMs: number;
  readonly signal: AbortSignal;
  phase(text: string): Promise<void>;
  /** Notes that bytes stay for now because a backup is copying objects; 0. */
  heldByBackup(): 0;
}

/** `ms` before the moment of the run. */
export const before = (run: Pick<Run, 'at'>, ms: number) => new Date(run.at.getTime() - ms);

/** Why something goes. */
export type Reason =
  /** Commits, folders and files of git that nothing reaches. */
  | 'unreachable-history'
  /** A repo was deleted. */
  | 'deleted-repository'
  /** A stored file that no commit names any more. */
  | 'unused-file'
  /** Stored chunks that no file uses. */
  | 'unused-chunks'
  /** In the store, but no row names it: what a crash left. */
  | 'orphan';

/** One thing that can go. Bytes of git objects are in the database, all others in the store. */
export interface ReclaimItem {
  readonly reason: Reason;
  /** `model:ns/name` of a repo that held it last, when known. */
  readonly repo: string | null;
  /** Key in the store, or how many git objects. */
  readonly what: string;
  readonly bytes: number;
  readonly mayGoAt: Date;
}

export interface ReasonTotals {
  readonly reason: Reason;
  readonly count: number;
  readonly bytes: number;
  /** Of these, what goes in the next run. */
  readonly countNow: number;
  readonly bytesNow: number;
}

/** Kept with every run. */
export interface ReclaimResult {
  readonly storedBytes: number;
  readonly storedObjects: number;
  readonly databaseBytes: number;
  /** What was found before anything was done. */
  readonly found: readonly ReasonTotals[];
  /** Bytes and objects deleted from the store, and git objects from the database. */
  readonly freedBytes: number;
  readonly freedObjects: number;
  readonly freedGitBytes: number;
  readonly freedGitObjects: number;
  readonly removedEdges: number;
  readonly repackedXorbs: number;
  /** Repos that were left alone, and why. */
  readonly skipped: readonly { readonly repo: string; readonly why: string }[];
}

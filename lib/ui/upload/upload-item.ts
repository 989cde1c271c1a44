import type { DirectSession } from './direct-session.ts';

/** What a reader is told of one file. */
export type UploadState =
  /** Its turn has not come. */
  | 'waiting'
  | 'hashing'
  | 'sending'
  /** All bytes are there; the hub makes sure of them. */
  | 'checking'
  | 'paused'
  /** The network or the hub is away; it goes on by itself. */
  | 'stalled'
  /** The page was loaded anew and the browser does not give the file again by itself. */
  | 'missing'
  /** The hub said before the first byte that it will not take it. */
  | 'refused'
  | 'failed'
  /** The hub had these bytes already: nothing was sent. */
  | 'stored'
  | 'done'
  /** Small text: it goes with the commit itself. */
  | 'ready';

/** What is to be done next for a file, whatever its state. */
export type UploadStep = 'preflight' | 'hash' | 'link' | 'send' | 'finished';

/** One file on its way into a repo. Objects of it never change; a change makes a new one. */
export interface UploadItem {
  readonly id: string;
  /** Path as it was chosen, with the name of the chosen folder; by it a file is known again. */
  readonly source: string;
  /** Where it will lie, from the root of the repo. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly state: UploadState;
  readonly step: UploadStep;
  readonly how: 'inline' | 'upload' | null;
  /** Why it was refused or failed, in the hub's words; '' when there is nothing to say. */
  readonly reason: string;
  readonly sha256: string | null;
  /** What lies at its path in the repo: sha256 of a large file, git blob id of a small one; null when nothing does. */
  readonly presentOid: string | null;
  /** Git blob id of a small file, once it was compared with what it would replace. */
  readonly blobOid: string | null;
  /** Address of the upload at the hub, by which it continues. */
  readonly uploadUrl: string | null;
  /** Whether the hub lets it go to the store itself. */
  readonly mayGoDirect: boolean;
  /** The upload to the store itself, once begun. */
  readonly direct: DirectSession | null;
  readonly hashedBytes: number;
  /** What was handed to the network; after a break it goes back to what arrived. */
  readonly sentBytes: number;
}

/** A file as a picker or a drop gives it. */
export interface ChosenFile {
  /** Slashes between folders, beginning with the name of the chosen folder if one was chosen. */
  readonly source: string;
  readonly file: File;
  /** What was chosen, the file itself or a folder that it is in: the browser gives it again after a restart. */
  readonly handle?: FileSystemHandle | undefined;
}

const JUNK = /(?:^|\/)(?:\.DS_Store|Thumbs\.db|desktop\.ini|\._[^/]*)$|(?:^|\/)(?:\.git|__MACOSX)\//i;

/** What systems leave in folders, and the inside of a git repository: nobody means to upload it. */
export function isJunk(source: string): boolean {
  return JUNK.test(source);
}

/** Whether there is nothing more to do before the commit. */
export function isFinished(item: UploadItem): boolean {
  return item.step === 'finished';
}

/** What the commit will do to what lies at the path of a file: nothing lies there, it is replaced, it stays the same. */
export function overlapOf(item: UploadItem): 'none' | 'replaces' | 'same' {
  if (!item.presentOid) return 'none';
  return item.presentOid === (item.how === 'inline' ? item.blobOid : item.sha256) ? 'same' : 'replaces';
}

/** The order of files in a queue. */
export const bySource = (a: { source: string }, b: { source: string }) => (a.source < b.source ? -1 : 1);

/** A file that was just chosen. */
export function newItem(id: string, source: string, file: File): UploadItem {
  return {
    id,
    source,
    path: source,
    sizeBytes: file.size,
    modifiedMs: file.lastModified,
    state: 'waiting',
    step: 'preflight',
    how: null,
    reason: '',
    sha256: null,
    presentOid: null,
    blobOid: null,
    uploadUrl: null,
    mayGoDirect: false,
    direct: null,
    hashedBytes: 0,
    sentBytes: 0,
  };
}

import type { Oid, Sha256 } from '#lib/base/ids.ts';
import type { CommitSummary, Repo } from '../types.ts';

/** `two-dot`: from base to head. `three-dot`: from where head left base, what a reviewer of head wants to see. */
export type RangeMode = 'two-dot' | 'three-dot';

/** Two revisions as someone wrote them. */
export interface Range {
  readonly base: string;
  readonly head: string;
  readonly mode: RangeMode;
}

/** One end of a comparison. `commitOid` null: before the first commit, where there is nothing. */
export interface RangeEnd {
  readonly name: string;
  readonly commitOid: Oid | null;
}

/** Two revisions found, and the two trees whose files are compared. */
export interface ResolvedRange {
  readonly repo: Repo;
  readonly mode: RangeMode;
  readonly base: RangeEnd;
  readonly head: RangeEnd;
  /** The newest commit of both histories; null when they share none. */
  readonly mergeBase: Oid | null;
  /** Commit from which changes are counted; null: from nothing. */
  readonly fromOid: Oid | null;
  readonly fromTree: Oid | null;
  readonly toTree: Oid | null;
  /** The same comparison by ids that never change, for links and further calls: `{oid}..{oid}`. */
  readonly pinned: string;
}

/** A file on one side of a comparison. */
export interface FileSide {
  readonly oid: Oid;
  /** As in the tree object: 100644, 100755, 120000, 160000 (octal). */
  readonly mode: number;
  /** The real size: of the large file when there is one, of the blob otherwise; 0 for submodules. */
  readonly sizeBytes: number;
  readonly lfs: { readonly sha256: Sha256; readonly sizeBytes: number } | null;
}

export type ChangeKind = 'added' | 'removed' | 'modified' | 'renamed' | 'mode';

/** One file that differs. */
export interface ChangedFile {
  /** The new path; the old one of a removed file. */
  readonly path: string;
  /** Where it was before, when that is another path. */
  readonly oldPath: string | null;
  readonly kind: ChangeKind;
  readonly before: FileSide | null;
  readonly after: FileSide | null;
  /** Percent of content kept by a rename; 100: the same bytes. Null when it is no rename. */
  readonly similarity: number | null;
  /** Lines added and removed; null for what is not text, and where they were not counted (very large changes). */
  readonly additions: number | null;
  readonly deletions: number | null;
}

/** What differs between two revisions. */
export interface Comparison extends ResolvedRange {
  /** Commits that only head has, and that only base has. */
  readonly ahead: number;
  readonly behind: number;
  /** False when there were too many commits to walk: `ahead` and `behind` are then at least so many. */
  readonly isCounted: boolean;
  /** Of those ahead the newest, at most 250. */
  readonly commits: readonly CommitSummary[];
  /** By path. */
  readonly files: readonly ChangedFile[];
  /** False when more files differ than are listed. */
  readonly isComplete: boolean;
}

/** Characters from (inclusive) and to (exclusive) within a line. */
export type TextRange = readonly [from: number, to: number];

export interface DiffLine {
  readonly kind: 'context' | 'added' | 'removed';
  /** 1-based; null on the side where the line is not. */
  readonly oldNumber: number | null;
  readonly newNumber: number | null;
  /** Without its line end. */
  readonly text: string;
  /** The part that changed, when the line resembles one on the other side. */
  readonly ranges?: readonly TextRange[];
  /** The file ends here without a line end. */
  readonly isUnended?: true;
}

export interface Hunk {
  /** 1-based; 0 when the side has no line here, as git writes it. */
  readonly oldStart: number;
  readonly oldLines: number;
  readonly newStart: number;
  readonly newLines: number;
  readonly lines: readonly DiffLine[];
}

export interface TextDiff {
  readonly hunks: readonly Hunk[];
  readonly additions: number;
  readonly deletions: number;
  /** False when the two texts were too different to be aligned in time: then all that differs is one block. */
  readonly isAligned: boolean;
}

/** How the change of one file can be shown. */
export type FileDiffView =
  | ({
      readonly kind: 'text';
      /** True when only the beginning of the hunks is here. */
      readonly isCut: boolean;
    } & TextDiff)
  /** Nothing but the path or the mode changed. */
  | { readonly kind: 'same' }
  | { readonly kind: 'binary' | 'lfs' | 'submodule' }
  | { readonly kind: 'tooLarge'; readonly limitBytes: number }
  /** The comparison took too long or too much memory. */
  | { readonly kind: 'failed' };

export interface FileDiff {
  readonly file: ChangedFile;
  readonly view: FileDiffView;
}

import type { ReactNode } from 'react';
import type { ChangedFile, DiffLine } from '#lib/repos/diff/types.ts';

/** A line of a diff that something can hang on. An unchanged line is named by its new number. */
export interface LinePlace {
  readonly path: string;
  /** `old`: a line that was removed. */
  readonly side: 'old' | 'new';
  /** 1-based number on that side. */
  readonly line: number;
  readonly text: string;
}

/** What others put into a diff. */
export interface LineSlots {
  /** What stands below a line, across its whole width (a thread of comments); null for nothing. */
  readonly renderAfterLine?: ((place: LinePlace) => ReactNode) | undefined;
  /** Gives each line a button (shown on hover and focus); called when it is pressed. */
  readonly onLineAction?: ((place: LinePlace) => void) | undefined;
  /** What the button says it does; needed with onLineAction. */
  readonly lineActionLabel?: string | undefined;
}

/** What others put on whole files. */
export interface FileSlots {
  /** Stands in the head of a file: a mark of the reader's own. */
  readonly renderFileMark?: ((file: ChangedFile) => ReactNode) | undefined;
  /** Files that the reader is done with are folded when they become so, and unfolded when they are no longer. */
  readonly isFolded?: ((file: ChangedFile) => boolean) | undefined;
}

/** Where a line is. */
export function placeOf(path: string, line: DiffLine): LinePlace {
  return line.kind === 'removed'
    ? { path, side: 'old', line: line.oldNumber ?? 0, text: line.text }
    : { path, side: 'new', line: line.newNumber ?? 0, text: line.text };
}

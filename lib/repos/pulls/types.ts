import type { Oid } from '#lib/base/ids.ts';

/** A discussion is open or closed; a pull request may also be a draft (not to be merged yet) or merged. */
export type DiscussionStatus = 'draft' | 'open' | 'closed' | 'merged';

/** Somebody who spoke; null once the account is gone. */
export interface Speaker {
  readonly id: string;
  readonly name: string;
  readonly fullname: string;
}

/** What only pull requests have. */
export interface PullFacts {
  /** Full name of the branch it goes to. */
  readonly baseRef: string;
  /** Where refs/pr/N is; where it was, when it has been deleted. */
  readonly headOid: Oid;
  /** Merged: the commit its changes were counted from; null until then. */
  readonly baseOid: Oid | null;
  /** Merged: the commit that brought the changes to the branch. */
  readonly mergeCommitOid: Oid | null;
}

/** A line of a list of discussions. */
export interface Discussion {
  readonly num: number;
  readonly title: string;
  readonly status: DiscussionStatus;
  readonly author: Speaker | null;
  readonly isPinned: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly commentCount: number;
  /** Null for a discussion. */
  readonly pull: PullFacts | null;
}

/** Where in a pull request's changes a comment stands. */
export interface LineAnchor {
  readonly path: string;
  /** The line's side of the diff: before or after the change. */
  readonly side: 'before' | 'after';
  /** 1-based. */
  readonly line: number;
  /** Head of the pull request when it was written. */
  readonly commitOid: Oid;
}

/** What an event carries besides its text, by kind. */
export interface EventData {
  readonly comment: { readonly anchor?: LineAnchor; readonly relatedEventId?: string };
  readonly 'status-change': { readonly status: DiscussionStatus };
  readonly 'title-change': { readonly from: string; readonly to: string };
  readonly commit: { readonly subject: string; readonly oid: Oid };
  /** The ref left history behind: by a rebase of the hub, or a forced push. */
  readonly 'head-change': { readonly from: Oid; readonly to: Oid; readonly isRebase: boolean };
  readonly 'pinning-change': { readonly pinned: boolean };
  readonly 'ref-deleted': Record<string, never>;
}

export type EventKind = keyof EventData;

/** A version of a comment; the text is left out of hidden comments. */
export interface CommentVersion {
  readonly author: Speaker | null;
  readonly at: Date;
}

export interface CommentText {
  /** Markdown; empty when hidden. */
  readonly raw: string;
  readonly editedAt: Date | null;
  readonly editedBy: Speaker | null;
  readonly isHidden: boolean;
  /** Older versions, the first one first. */
  readonly history: readonly CommentVersion[];
}

/** An event of one kind. */
export interface EventOf<K extends EventKind> {
  /** 24 hex. */
  readonly id: string;
  readonly kind: K;
  readonly author: Speaker | null;
  readonly createdAt: Date;
  readonly data: EventData[K];
  /** Comments only. */
  readonly comment: K extends 'comment' ? CommentText : null;
}

export type DiscussionEvent = { [K in EventKind]: EventOf<K> }[EventKind];

/** refs/pr/N. */
export const pullRef = (num: number) => `refs/pr/${num}`;

const PULL_REF = /^refs\/pr\/([1-9]\d{0,8})$/;

/** The number in refs/pr/N, or null when the name is not of that form. */
export function numOfPullRef(ref: string): number | null {
  const match = PULL_REF.exec(ref);
  return match ? Number(match[1]) : null;
}

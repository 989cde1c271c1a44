import type { RepoRef } from '#lib/repos/types.ts';
import { apiAddress } from '../addresses.ts';
import { CallError, callHub } from '../call-hub.ts';
import { type Committed, postCommit } from './post-commit.ts';

/** One change that a page sends: `content` is the whole text of the file. */
export type Change =
  | { readonly kind: 'put'; readonly path: string; readonly content: string }
  | { readonly kind: 'delete'; readonly path: string };

export interface ChangeSet {
  readonly repo: RepoRef;
  /** Short name of the branch. */
  readonly branch: string;
  /** The commit that the page shows. */
  readonly baseCommit: string;
  /** Blob oid that the page saw at each path it touches; null where there was nothing. */
  readonly seen: Readonly<Record<string, string | null>>;
  readonly summary: string;
  readonly description: string;
  readonly changes: readonly Change[];
  /** Propose it as a new pull request instead of changing the branch. */
  readonly asPullRequest: boolean;
}

/** Somebody else changed what this page was about to change. Nothing was written. */
export class Conflict extends Error {
  readonly paths: readonly string[];

  constructor(paths: readonly string[]) {
    super(paths.join(', '));
    this.name = 'Conflict';
    this.paths = paths;
  }
}

/** How often a commit follows a branch that others keep moving. */
const MAX_ROUNDS = 8;

/** The body of a commit as the Hub's clients send it: one JSON text a line. */
function commitBody({ summary, description, changes }: ChangeSet, parentCommit: string): string {
  const lines: unknown[] = [{ key: 'header', value: { summary, description, parentCommit } }];
  for (const change of changes)
    lines.push(
      change.kind === 'delete'
        ? { key: 'deletedFile', value: { path: change.path } }
        : { key: 'file', value: { path: change.path, content: change.content, encoding: 'utf-8' } },
    );
  return lines.map((line) => JSON.stringify(line)).join('\n');
}

const send = (set: ChangeSet, parentCommit: string): Promise<Committed> =>
  postCommit(set.repo, set.branch, commitBody(set, parentCommit), set.asPullRequest);

/** Where the branch is now, and which of the touched paths are no longer what the page saw. */
async function lookAgain(set: ChangeSet): Promise<{ head: string; changed: string[] }> {
  const { sha: head } = await callHub<{ sha: string }>(
    'GET',
    apiAddress(set.repo, `revision/${encodeURIComponent(set.branch)}`),
  );
  const paths = Object.keys(set.seen);
  const entries = await callHub<{ path: string; oid: string }[]>(
    'POST',
    apiAddress(set.repo, `paths-info/${head}`),
    {
      paths,
    },
  );
  const now = new Map(entries.map((entry) => [entry.path, entry.oid]));
  return { head, changed: paths.filter((path) => (now.get(path) ?? null) !== set.seen[path]) };
}

/**
 * Commits changes made on a page. The commit names its parent, so nothing that came in since
 * the page was shown is overwritten: where others changed other files it is sent again on top of theirs, where they
 * changed these files it throws Conflict. Throws CallError for every other refusal.
 */
export async function commitChanges(set: ChangeSet): Promise<Committed> {
  let parent = set.baseCommit;
  for (let round = 0; ; round++) {
    try {
      return await send(set, parent);
    } catch (error) {
      const hasMoved = error instanceof CallError && error.status === 412;
      if (!hasMoved || round === MAX_ROUNDS) throw error;
      const { head, changed } = await lookAgain(set);
      if (changed.length > 0) throw new Conflict(changed);
      parent = head;
    }
  }
}

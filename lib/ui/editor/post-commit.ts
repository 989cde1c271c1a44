import type { RepoRef } from '#lib/repos/types.ts';
import { apiAddress } from '../addresses.ts';
import { CallError } from '../call-hub.ts';

/** What came of a commit. */
export interface Committed {
  readonly commitOid: string;
  /** The page of the new pull request, when one was asked for. */
  readonly pullRequestUrl?: string;
}

/**
 * Sends a commit to a branch as the Hub's clients do: a JSON text a line, the first one the header. With
 * `asPullRequest` it becomes a new pull request to the branch. Throws CallError.
 */
export async function postCommit(
  repo: RepoRef,
  branch: string,
  body: string | Blob,
  asPullRequest: boolean,
): Promise<Committed> {
  const query = asPullRequest ? '?create_pr=1' : '';
  const response = await fetch(`${apiAddress(repo, `commit/${encodeURIComponent(branch)}`)}${query}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body,
  }).catch(() => {
    throw new CallError(0, '', null);
  });
  const answer = (await response.json().catch(() => null)) as (Committed & { error?: string }) | null;
  if (!response.ok || answer?.commitOid === undefined)
    throw new CallError(response.status, answer?.error ?? `HTTP ${response.status}`, answer);
  return answer;
}

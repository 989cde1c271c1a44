import type { App } from '#lib/identity/context.ts';
import type { Repo } from '#lib/repos/types.ts';
import { computeFacts } from './compute-facts.ts';
import { selectHeadAndFacts, upsertFacts } from './db.ts';
import type { RepoFacts } from './types.ts';

/**
 * What is known of the repo's default branch, never older than its head: stored facts when they were read from
 * that head, else computed now and stored. The caller must have checked the right to read. Facts computed while
 * the object store could not be read are returned but not stored, so that the next call tries again.
 */
export async function factsOf(app: App, repo: Repo, signal?: AbortSignal): Promise<RepoFacts | null> {
  const { headOid, facts } = await selectHeadAndFacts(app.db, repo);
  if (headOid === null) return null;
  if (facts?.commitOid === headOid) return facts;
  const computed = await computeFacts(app, repo, headOid, signal);
  if (computed.complete) await upsertFacts(app.db, repo.id, computed.facts);
  return computed.facts;
}

import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { selectRepoById } from '#lib/repos/db.ts';
import { computeFacts } from './compute-facts.ts';
import { selectHeadAndFacts, upsertFacts } from './db.ts';

/**
 * Handler of the job that follows every push: brings the stored facts up to the head of the default branch.
 * Idempotent; a repo that is gone is done. Throws, to be retried, when the object store could not be read.
 */
export async function refreshFacts(app: App, job: { repoId: number }, signal?: AbortSignal): Promise<void> {
  const repo = await selectRepoById(app.db, job.repoId as RepoId);
  if (!repo) return;
  const { headOid, facts } = await selectHeadAndFacts(app.db, repo);
  if (headOid === null || facts?.commitOid === headOid) return;
  const computed = await computeFacts(app, repo, headOid, signal);
  if (!computed.complete)
    throw new Error(`facts of repo ${repo.id} are incomplete: a large file was not readable`);
  await upsertFacts(app.db, repo.id, computed.facts);
}

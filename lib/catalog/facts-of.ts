import type { Queryable } from '#lib/base/db.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import type { Repo } from '#lib/repos/types.ts';
import { type ComputedFacts, computeFacts } from './compute-facts.ts';
import { selectHeadAndFacts, upsertFacts } from './db.ts';
import type { RepoFacts } from './types.ts';

/** Work under way, by repo and commit: many viewers of a new head cost one reading. Entries live as long as the work. */
const underWay = new WeakMap<Queryable, Map<string, Promise<ComputedFacts>>>();

/**
 * What is known of the repo's default branch, never older than its head: stored facts when they were read from
 * that head, else computed now and stored. Null when there is no head. The caller must have checked the right to
 * read. Facts computed while the object store could not be read are returned but not stored, so that the next
 * call tries again.
 */
export async function factsOf(app: App, repo: Repo): Promise<RepoFacts | null> {
  const { headOid, facts } = await selectHeadAndFacts(app.db, repo);
  if (headOid === null) return null;
  if (facts?.commitOid === headOid) return facts;
  return (await computeOnce(app, repo, headOid)).facts;
}

/** Computes and stores, or joins who is at it: not tied to one request's signal, since others may wait for it. */
async function computeOnce(app: App, repo: Repo, headOid: Oid): Promise<ComputedFacts> {
  let works = underWay.get(app.db);
  if (!works) underWay.set(app.db, (works = new Map()));
  const key = `${repo.id}:${headOid}`;
  const running = works.get(key);
  if (running) return running;
  const work = (async () => {
    const computed = await computeFacts(app, repo, headOid);
    if (computed.complete) await upsertFacts(app.db, repo.id, computed.facts);
    return computed;
  })();
  works.set(key, work);
  try {
    return await work;
  } finally {
    works.delete(key);
  }
}

import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { type CommitContent, splitMessage } from './git/commit.ts';

/** A commit whose object is written in the same transaction. */
export interface CommitToIndex {
  readonly oid: Oid;
  readonly commit: CommitContent;
  /** Who made it on this hub; null when it only came through a push. */
  readonly userId: string | null;
}

/** Where a commit stands in history. */
interface Place {
  readonly generation: number;
  /** Commits reachable from it; null behind a merge until somebody counts. */
  readonly reached: number | null;
}

const BATCH = 2000;
/** Postgres and JavaScript agree on times up to the year 9999; git accepts any number. */
const LAST_SECOND = 253_402_300_799;
const MAX_TEXT = 64 * 1024;
const clampSeconds = (seconds: number) => Math.min(Math.max(seconds, 0), LAST_SECOND);
const storableText = (text: string) => text.slice(0, MAX_TEXT).replaceAll('\0', '').toWellFormed();

async function selectPlaces(tx: Queryable, repoId: RepoId, oids: readonly Oid[]): Promise<Map<Oid, Place>> {
  const { rows } = await tx.query<{ oid: Buffer; generation: number; reached: number | null }>(
    'SELECT oid, generation, reached FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
    [repoId, oids.map(bytesOf)],
  );
  return new Map(rows.map((row) => [hexOf<Oid>(row.oid), row]));
}

function placeBelow(parents: readonly Place[]): Place {
  const generation = 1 + Math.max(0, ...parents.map((parent) => parent.generation));
  if (parents.length === 0) return { generation, reached: 1 };
  const [only] = parents;
  const reached = parents.length === 1 && only?.reached != null ? only.reached + 1 : null;
  return { generation, reached };
}

/** Places of all commits, parents before children; those outside are read. Throws when a parent is nowhere. */
async function placeAll(
  tx: Queryable,
  repoId: RepoId,
  commits: ReadonlyMap<Oid, CommitToIndex>,
): Promise<Map<Oid, Place>> {
  const outside = [...commits.values()].flatMap((c) => c.commit.parents.filter((oid) => !commits.has(oid)));
  const places = await selectPlaces(tx, repoId, [...new Set(outside)]);
  for (const start of commits.keys()) {
    const stack = [start]; // no recursion: a history is deeper than any call stack
    for (let oid = stack.at(-1); oid !== undefined; oid = stack.at(-1)) {
      const parents = commits.get(oid)?.commit.parents ?? [];
      const open = places.has(oid) ? [] : parents.filter((parent) => !places.has(parent));
      const lost = open.find((parent) => !commits.has(parent));
      if (lost !== undefined) throw new Error(`commit ${lost} of repo ${repoId} is missing`);
      if (open.length > 0) stack.push(...open);
      else {
        stack.pop();
        if (!places.has(oid))
          places.set(oid, placeBelow(parents.map((parent) => places.get(parent) as Place)));
      }
    }
  }
  return places;
}

/**
 * Inside the caller's transaction: makes commits known to listings and walks, in any order and number. What is
 * indexed already stays as it is, locked against garbage collection until the transaction ends. Every parent must be among them or indexed before. Messages are kept up to
 * 64 KiB, times up to the year 9999; the objects themselves have all of it.
 */
export async function indexCommits(
  tx: Queryable,
  repoId: RepoId,
  commits: readonly CommitToIndex[],
): Promise<void> {
  const byOid = new Map(commits.map((commit) => [commit.oid, commit]));
  const places = await placeAll(tx, repoId, byOid);
  const sorted = [...byOid.values()].sort((a, b) => (a.oid < b.oid ? -1 : 1)); // see insertObjects
  for (let at = 0; at < sorted.length; at += BATCH) {
    const batch = sorted.slice(at, at + BATCH);
    const messages = batch.map(({ commit }) => splitMessage(commit.message));
    await tx.query({
      name: 'index-commits',
      text: `INSERT INTO commit_index (repo_id, oid, tree_oid, parents, title, message, author_name, author_email,
                                       authored_at, committed_at, generation, reached, user_id)
             SELECT $1, decode(oid, 'hex'), decode(tree, 'hex'),
                    ARRAY(SELECT decode(p, 'hex') FROM unnest(string_to_array(nullif(parents, ''), ' ')) WITH ORDINALITY u (p, nth) ORDER BY nth),
                    title, message, name, email, to_timestamp(authored), to_timestamp(committed), generation, reached, user_id
             FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                         $9::float8[], $10::float8[], $11::int4[], $12::int4[], $13::text[])
               AS c (oid, tree, parents, title, message, name, email, authored, committed, generation, reached, user_id)
             ON CONFLICT (repo_id, oid) DO UPDATE SET generation = EXCLUDED.generation WHERE false`,
      values: [
        repoId,
        batch.map(({ oid }) => oid),
        batch.map(({ commit }) => commit.tree),
        batch.map(({ commit }) => commit.parents.join(' ')),
        messages.map(({ title }) => storableText(title)),
        messages.map(({ body }) => storableText(body)),
        batch.map(({ commit }) => storableText(commit.author.name)),
        batch.map(({ commit }) => storableText(commit.author.email)),
        batch.map(({ commit }) => clampSeconds(commit.author.atSeconds)),
        batch.map(({ commit }) => clampSeconds(commit.committer.atSeconds)),
        batch.map(({ oid }) => places.get(oid)?.generation),
        batch.map(({ oid }) => places.get(oid)?.reached),
        batch.map(({ userId }) => userId),
      ],
    });
  }
}

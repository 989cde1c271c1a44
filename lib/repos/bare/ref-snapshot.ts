import type { Queryable } from '#lib/base/db.ts';
import { hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import type { RefRow } from '../db.ts';

/** All refs of a repo at one moment, by name. */
export interface RefSnapshot {
  readonly refs: readonly RefRow[];
  /** What HEAD stands for, whether or not that branch exists. */
  readonly head: string;
}

/** All refs of a repo at one moment, in the order in which git sorts names (bytes). Plan: one range of ref_pkey. */
export async function readRefSnapshot(
  db: Queryable,
  repo: { id: RepoId; defaultBranch: string },
): Promise<RefSnapshot> {
  const { rows } = await db.query<{ name: string; oid: Buffer }>({
    name: 'read-ref-snapshot',
    text: 'SELECT name, oid FROM ref WHERE repo_id = $1 ORDER BY name COLLATE "C"',
    values: [repo.id],
  });
  const refs = rows.map((row) => ({ name: row.name, oid: hexOf<Oid>(row.oid) }));
  return { refs, head: `refs/heads/${repo.defaultBranch}` };
}

/** What the refs of a snapshot point to. */
export const tipsOf = (snapshot: RefSnapshot): Set<Oid> => new Set(snapshot.refs.map(({ oid }) => oid));

/** Whether a client that wants these wants all that the refs point to, and nothing else. */
export function areAllTips(wants: readonly Oid[], snapshot: RefSnapshot): boolean {
  const tips = tipsOf(snapshot);
  const asked = new Set(wants);
  return asked.size === tips.size && [...asked].every((oid) => tips.has(oid));
}

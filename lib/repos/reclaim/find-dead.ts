import type { Queryable } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { KIND, type Kind } from '../git/objects.ts';
import { markReachable, Reachable } from './mark-reachable.ts';
import { OidList, OidSet } from './oid-set.ts';
import { readRoots, readYoung } from './read-roots.ts';
import { before, type Run } from './types.ts';

const ROWS_PER_PAGE = 20_000;

/** What of a repo's git objects nothing reaches. */
export interface Dead {
  /** Commits and tags: what can be named, and therefore goes first and together. */
  readonly heads: OidList;
  /** Folders and files. */
  readonly rest: OidList;
  /** Of the files, the pointers. */
  readonly pointers: OidList;
  readonly bytes: number;
  /** What is reachable, and the roots that it was found from. */
  readonly reachable: Reachable;
  readonly roots: OidSet;
}

interface Row {
  oid: Buffer;
  kind: Kind;
  bytes: number;
  is_pointer: boolean;
}

/** Everything of the repo that is old enough, by oid. Plan: pages of the repo's range of git_object_pNN_pkey. */
async function* oldObjects(db: Queryable, run: Run, repoId: RepoId): AsyncGenerator<Row[]> {
  for (let last = Buffer.alloc(0); ; ) {
    const { rows } = await db.query<Row>({
      name: 'reclaim-old-objects',
      text: `SELECT oid, kind, octet_length(data) AS bytes, lfs_sha256 IS NOT NULL AS is_pointer FROM git_object
             WHERE repo_id = $1 AND oid > $2 AND touched_at <= $3 ORDER BY oid LIMIT ${ROWS_PER_PAGE}`,
      values: [repoId, last, before(run, run.graceMs)],
    });
    yield rows;
    const end = rows.at(-1);
    if (end === undefined || rows.length < ROWS_PER_PAGE) return;
    last = end.oid as Buffer<ArrayBuffer>;
  }
}

/**
 * Looks for what nothing of the repo reaches and is older than the grace. Takes no locks and changes nothing: a sweep
 * looks again. Throws MissingObject when something reachable is missing: such a repo is left alone. Memory: 35 bytes an
 * object.
 */
export async function findDead(db: Queryable, run: Run, repoId: RepoId): Promise<Dead> {
  const reachable = new Reachable();
  const roots = new OidSet();
  const begin = await readRoots(db, run, repoId);
  for (const { oid } of begin) roots.add(oid);
  await markReachable(db, repoId, [...begin, ...(await readYoung(db, run, repoId))], reachable);
  const [heads, rest, pointers] = [new OidList(), new OidList(), new OidList()];
  let bytes = 0;
  for await (const rows of oldObjects(db, run, repoId))
    for (const row of rows) {
      if (reachable.oids.has(row.oid)) continue;
      bytes += row.bytes;
      (row.kind === KIND.commit || row.kind === KIND.tag ? heads : rest).push(row.oid);
      if (row.is_pointer) pointers.push(row.oid);
    }
  return { heads, rest, pointers, bytes, reachable, roots };
}

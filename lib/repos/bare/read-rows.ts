import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import type { Kind } from '../git/objects.ts';
import type { PackRow } from './write-pack.ts';

/** Rows of a page whose contents are below LARGE_BYTES come with it; larger ones are fetched one by one. */
const PAGE = 1000;
const LARGE_BYTES = 32 * 1024;
const BATCH_BYTES = 8 * 1024 * 1024;

interface Row {
  oid: Buffer;
  kind: Kind;
  size: number;
  data: Buffer | null;
}

/** Rows with their contents, in batches of about 8 MiB. */
async function* fill(db: Queryable, repoId: RepoId, rows: readonly Row[]): AsyncGenerator<PackRow[]> {
  let batch: PackRow[] = [];
  let bytes = 0;
  for (const { oid, kind, size, data } of rows) {
    const content = data ?? (await selectData(db, repoId, oid));
    batch.push({ oid: hexOf<Oid>(oid), kind, sizeBytes: size, data: content });
    bytes += content.length;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

async function selectData(db: Queryable, repoId: RepoId, oid: Buffer): Promise<Buffer> {
  const { rows } = await db.query<{ data: Buffer }>({
    name: 'read-large-row',
    text: 'SELECT data FROM git_object WHERE repo_id = $1 AND oid = $2',
    values: [repoId, oid],
  });
  if (rows[0] === undefined) throw new Error(`object ${hexOf(oid)} of repo ${repoId} is missing`);
  return rows[0].data;
}

/**
 * All objects of a repo in the order of their oids, a page at a time: at most 32 MiB, or one object, in memory. Plan:
 * ranges of the primary key of the repo's partition.
 */
export async function* readAllRows(db: Queryable, repoId: RepoId): AsyncGenerator<PackRow[]> {
  for (let last: Buffer = Buffer.alloc(0); ; ) {
    const { rows } = await db.query<Row>({
      name: 'read-all-rows',
      text: `SELECT oid, kind, size, CASE WHEN octet_length(data) <= ${LARGE_BYTES} THEN data END AS data
               FROM git_object WHERE repo_id = $1 AND oid > $2 ORDER BY oid LIMIT ${PAGE}`,
      values: [repoId, last],
    });
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.oid;
    yield* fill(db, repoId, rows);
  }
}

/** The named objects of a repo in the order of their oids; as readAllRows. What is missing is left out. */
export async function* readRows(
  db: Queryable,
  repoId: RepoId,
  oids: readonly Oid[],
): AsyncGenerator<PackRow[]> {
  const sorted = [...oids].sort();
  for (let at = 0; at < sorted.length; at += PAGE) {
    const { rows } = await db.query<Row>({
      name: 'read-rows',
      text: `SELECT oid, kind, size, CASE WHEN octet_length(data) <= ${LARGE_BYTES} THEN data END AS data
               FROM git_object WHERE repo_id = $1 AND oid = ANY($2::bytea[]) ORDER BY oid`,
      values: [repoId, sorted.slice(at, at + PAGE).map(bytesOf)],
    });
    yield* fill(db, repoId, rows);
  }
}

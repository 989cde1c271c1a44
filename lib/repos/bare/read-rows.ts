import type { Queryable, Tx } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { KIND, type StoredGitObject } from '../git/objects.ts';
import { ENTRY_HEADER_SQL, type PackBatch, readEntryHeader } from './pack-entry.ts';

/** Rows of a page; contents above LARGE_BYTES come after it, some MiB at a time: at most 32 MiB in memory, two pages. */
const PAGE = 2000;
const LARGE_BYTES = 8 * 1024;
const BATCH_BYTES = 8 * 1024 * 1024;

const OID_BYTES = 20;
const LENGTH_BYTES = 4;
/**
 * A page as three values: oids; lengths of the contents, four bytes each; and the entries of a pack, which the database
 * joins, so that nothing is left to do here for each row. Rows of four columns, each of which is parsed by itself, take
 * ten times as long. Of entries with large contents there is the header alone.
 */
const AS_PAGE = `
  string_agg(oid, ''::bytea ORDER BY oid) AS oids,
  string_agg(int4send(octet_length(data)), ''::bytea ORDER BY oid) AS lengths,
  string_agg((${ENTRY_HEADER_SQL}) || CASE WHEN octet_length(data) <= ${LARGE_BYTES} THEN data ELSE ''::bytea END,
             ''::bytea ORDER BY oid) AS entries`;

interface PageRow {
  oids: Buffer | null;
  lengths: Buffer | null;
  entries: Buffer | null;
}

class Page {
  readonly count: number;
  readonly oids: Buffer;
  readonly entries: Buffer;
  readonly #lengths: Buffer;

  constructor(row: PageRow | undefined) {
    this.oids = row?.oids ?? Buffer.alloc(0);
    this.#lengths = row?.lengths ?? Buffer.alloc(0);
    this.entries = row?.entries ?? Buffer.alloc(0);
    this.count = this.oids.length / OID_BYTES;
  }

  oid(index: number): Buffer {
    return this.oids.subarray(index * OID_BYTES, (index + 1) * OID_BYTES);
  }

  /** Bytes of a row's content, deflated. */
  dataBytes(index: number): number {
    return this.#lengths.readInt32BE(index * LENGTH_BYTES);
  }

  isLarge(index: number): boolean {
    return this.dataBytes(index) > LARGE_BYTES;
  }
}

async function selectContents(
  db: Queryable,
  repoId: RepoId,
  oids: readonly Buffer[],
): Promise<Map<string, Buffer>> {
  if (oids.length === 0) return new Map();
  const found = await db.query<{ oid: Buffer; data: Buffer }>({
    name: 'read-large-rows',
    text: 'SELECT oid, data FROM git_object WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
    values: [repoId, oids],
  });
  return new Map(found.rows.map((row) => [row.oid.toString('latin1'), row.data]));
}

/** The rows from `from` to `to` of a page whose entries begin at `start`; large contents are fetched. */
async function batchOf(
  db: Queryable,
  repoId: RepoId,
  page: Page,
  { from, to, start }: { from: number; to: number; start: number },
): Promise<PackBatch & { nextStart: number }> {
  const large: Buffer[] = [];
  for (let index = from; index < to; index++) if (page.isLarge(index)) large.push(page.oid(index));
  const contents = await selectContents(db, repoId, large);
  const pieces: Buffer[] = [];
  const ends: number[] = [];
  let [joined, at, end] = [start, start, 0];
  for (let index = from; index < to; index++) {
    const header = readEntryHeader(page.entries, at);
    end += header.end - at + page.dataBytes(index);
    ends.push(end);
    at = header.end;
    if (!page.isLarge(index)) {
      at += page.dataBytes(index);
      continue;
    }
    const content = contents.get(page.oid(index).toString('latin1'));
    if (content === undefined)
      throw new Error(`object ${page.oid(index).toString('hex')} of repo ${repoId} is missing`);
    pieces.push(page.entries.subarray(joined, at), content);
    joined = at;
  }
  const rest = page.entries.subarray(joined, at);
  return {
    oids: page.oids.subarray(from * OID_BYTES, to * OID_BYTES),
    ends,
    bytes: pieces.length === 0 ? rest : Buffer.concat([...pieces, rest]),
    nextStart: at,
  };
}

/** A page's entries with all their contents, in batches of about 8 MiB. */
async function* fill(db: Queryable, repoId: RepoId, page: Page): AsyncGenerator<PackBatch> {
  for (let from = 0, start = 0; from < page.count; ) {
    let to = from;
    for (let bytes = 0; to < page.count && (to === from || bytes < BATCH_BYTES); to++)
      bytes += page.dataBytes(to);
    const batch = await batchOf(db, repoId, page, { from, to, start });
    yield batch;
    from = to;
    start = batch.nextStart;
  }
}

/** Beyond this git walks faster than we do. */
const MAX_LINKED = 2000;
const MAX_LINKED_BYTES = 4 * 1024 * 1024;

/**
 * How many objects a repo has, and its commits, trees and tags; null when they are more than 2,000 or 4 MiB. Plan: the
 * primary key's index alone, and the rows of the repo's partition until there are 2,001.
 */
export async function readLinkedRows(
  db: Queryable,
  repoId: RepoId,
): Promise<{ count: number; linked: StoredGitObject[] | null }> {
  const { rows } = await db.query<PageRow & { count: number }>({
    name: 'read-linked-rows',
    text: `SELECT (SELECT count(*)::int4 FROM git_object WHERE repo_id = $1) AS count, ${AS_PAGE}
           FROM (SELECT oid, kind, size, data FROM git_object
                 WHERE repo_id = $1 AND kind <> ${KIND.blob} LIMIT ${MAX_LINKED + 1}) AS page`,
    values: [repoId],
  });
  const count = rows[0]?.count ?? 0;
  const page = new Page(rows[0]);
  let bytes = 0;
  for (let index = 0; index < page.count; index++) bytes += page.dataBytes(index);
  if (page.count > MAX_LINKED || bytes > MAX_LINKED_BYTES) return { count, linked: null };
  const linked: StoredGitObject[] = [];
  for await (const batch of fill(db, repoId, page)) {
    let start = 0;
    for (const end of batch.ends) {
      const oid = hexOf<Oid>(page.oid(linked.length));
      const header = readEntryHeader(batch.bytes, start);
      const { kind, sizeBytes } = header;
      linked.push({ oid, kind, sizeBytes, data: batch.bytes.subarray(header.end, end) });
      start = end;
    }
  }
  return { count, linked };
}

/** For the rest of a transaction the database reads along an index rather than sort what it has read. */
export const inKeyOrder = (tx: Tx): Promise<unknown> =>
  tx.query('SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off');

/**
 * All objects of a repo in the order of their oids. Plan: ranges of the primary key of the repo's partition; without
 * statistics of a repo that is new the database rather sorts all that is left for each page, see inKeyOrder. Begins
 * to read at once.
 */
export function readAllRows(db: Queryable, repoId: RepoId): AsyncGenerator<PackBatch> {
  const readPage = async (after: Buffer) => {
    const { rows } = await db.query<PageRow>({
      name: 'read-all-rows',
      text: `SELECT ${AS_PAGE}
             FROM (SELECT oid, kind, size, data FROM git_object
                   WHERE repo_id = $1 AND oid > $2 ORDER BY oid LIMIT ${PAGE}) AS page`,
      values: [repoId, after],
    });
    return new Page(rows[0]);
  };
  /** The database reads on while a page is used; what it fails with is thrown when the page's turn comes. */
  const begin = (after: Buffer) => {
    const page = readPage(after);
    page.catch(() => {});
    return page;
  };
  const first = begin(Buffer.alloc(0));
  return (async function* () {
    for (let page = await first; page.count > 0; ) {
      const next = page.count < PAGE ? Promise.resolve(new Page(undefined)) : begin(page.oid(PAGE - 1));
      yield* fill(db, repoId, page);
      page = await next;
    }
  })();
}

/** The named objects of a repo in the order of their oids; as readAllRows. What is missing is left out. */
export async function* readRows(
  db: Queryable,
  repoId: RepoId,
  oids: readonly Oid[],
): AsyncGenerator<PackBatch> {
  const sorted = [...oids].sort();
  for (let at = 0; at < sorted.length; at += PAGE) {
    const { rows } = await db.query<PageRow>({
      name: 'read-rows',
      text: `SELECT ${AS_PAGE} FROM git_object WHERE repo_id = $1 AND oid = ANY($2::bytea[])`,
      values: [repoId, sorted.slice(at, at + PAGE).map(bytesOf)],
    });
    yield* fill(db, repoId, new Page(rows[0]));
  }
}

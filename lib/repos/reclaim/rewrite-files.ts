import { type Tx, transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import type { RegisteredFile } from '../files/xet/register-files.ts';
import { recordShardLog, type StoredShardLog, storeShardLog } from '../files/xet/shard-log.ts';
import { packTerms, type Term, unpackTerms } from '../files/xet/terms.ts';
import { moveTerms, type Packing } from './pack-chunks.ts';
import type { Run } from './types.ts';

const FILES_PER_BATCH = 100;

interface FileRow {
  id: number;
  domain_id: number;
  hash: Buffer;
  sha256: Buffer;
  size_bytes: number;
  sha256_state: 'verified' | 'unverified' | 'bad' | 'lost';
  terms: Buffer;
  repo_id: RepoId | null;
  created_by: string | null;
}

interface Rewrite {
  readonly row: FileRow;
  readonly terms: readonly Term[];
}

/** Files that use one of these xorbs, with one repo that holds each. */
async function selectUsers(
  app: Pick<App, 'db'>,
  xorbIds: readonly number[],
  after: number,
): Promise<FileRow[]> {
  const { rows } = await app.db.query<FileRow>(
    `SELECT f.id, f.domain_id, f.hash, f.sha256, f.size_bytes, f.sha256_state, f.terms, e.repo_id, e.created_by
     FROM xet_file f LEFT JOIN LATERAL (SELECT repo_id, created_by FROM repo_file e WHERE e.xet_file_id = f.id
                                        ORDER BY repo_id LIMIT 1) e ON true
     WHERE f.id > $2 AND f.id IN (SELECT file_id FROM xet_file_xorb WHERE xorb_id = ANY($1::bigint[]))
     ORDER BY f.id LIMIT ${FILES_PER_BATCH}`,
    [xorbIds, after],
  );
  return rows;
}

/** Logs of the files as they will be, by the repo that each is given back to when the tables must be made again. */
async function storeLogs(app: App, run: Run, rewrites: readonly Rewrite[]) {
  const byRepo = new Map<RepoId, Rewrite[]>();
  for (const rewrite of rewrites) {
    const { repo_id: repoId, sha256_state: state } = rewrite.row;
    if (repoId === null || state === 'bad' || state === 'lost') continue;
    byRepo.set(repoId, [...(byRepo.get(repoId) ?? []), rewrite]);
  }
  const logs: { log: StoredShardLog; domainId: number; repoId: RepoId; fileIds: number[] }[] = [];
  for (const [repoId, list] of byRepo) {
    const first = (list[0] as Rewrite).row;
    const files = list.map(({ row, terms }) => ({
      hash: row.hash,
      sha256: hexOf<Sha256>(row.sha256),
      sizeBytes: row.size_bytes,
      terms,
      asked: [],
      state: row.sha256_state as RegisteredFile['state'],
    }));
    const owner = { domainId: first.domain_id, repoId, userId: first.created_by ?? '' };
    const log = await storeShardLog(app, owner, files, run.signal);
    logs.push({ log, domainId: first.domain_id, repoId, fileIds: list.map(({ row }) => row.id) });
  }
  return logs;
}

/** One file, when nobody changed it meanwhile. */
async function rewriteFile(tx: Tx, { row, terms }: Rewrite): Promise<void> {
  const changed = await tx.query('UPDATE xet_file SET terms = $2 WHERE id = $1 AND terms = $3', [
    row.id,
    packTerms(terms),
    row.terms,
  ]);
  if (changed.rowCount !== 1) return;
  await tx.query('DELETE FROM xet_file_xorb WHERE file_id = $1', [row.id]);
  await tx.query('INSERT INTO xet_file_xorb (file_id, xorb_id) SELECT $1, unnest($2::bigint[])', [
    row.id,
    [...new Set(terms.map((term) => term.xorbId))],
  ]);
}

/**
 * Lets the files that use the packed xorbs use the new one. The xorbs are locked first, as in a registration: the old
 * and the new one must be live, and nobody registers a file with them meanwhile. A file that changed since it was read,
 * or that uses a chunk which was not copied, stays as it is.
 */
export async function rewriteFiles(app: App, run: Run, packing: Packing, newXorbId: number): Promise<void> {
  const oldIds = packing.sources.map(({ id }) => id);
  for (let after = 0; ; ) {
    run.signal.throwIfAborted();
    const rows = await selectUsers(app, oldIds, after);
    const rewrites = rows.flatMap((row) => {
      const terms = moveTerms(unpackTerms(row.terms), packing, newXorbId);
      return terms === null ? [] : { row, terms };
    });
    const logs = await storeLogs(app, run, rewrites);
    await transaction(app.db, async (tx) => {
      const ids = [...oldIds, newXorbId];
      const { rowCount } = await tx.query(
        `SELECT 1 FROM xorb WHERE id = ANY($1::bigint[]) AND state = 'live' ORDER BY id FOR UPDATE`,
        [ids],
      );
      if (rowCount !== ids.length) return;
      await failpoint('reclaim.repacking');
      for (const rewrite of rewrites) await rewriteFile(tx, rewrite);
      for (const { log, domainId, repoId, fileIds } of logs)
        await recordShardLog(tx, { domainId, repoId }, log, fileIds);
    });
    const end = rows.at(-1);
    if (end === undefined || rows.length < FILES_PER_BATCH) return;
    after = end.id;
  }
}

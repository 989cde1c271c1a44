import type { Queryable, Tx } from '#lib/base/db.ts';
import { hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import type { RegisteredFile } from './register-files.ts';
import { recordShardLog, type StoredShardLog, storeShardLog } from './shard-log.ts';
import { packTerms, type Term } from './terms.ts';

/** A file whose terms may change, with one repo that holds it. */
export interface RewritableFile {
  readonly id: number;
  readonly domain_id: number;
  readonly hash: Buffer;
  readonly sha256: Buffer;
  readonly size_bytes: number;
  readonly sha256_state: 'verified' | 'unverified' | 'bad' | 'lost';
  readonly terms: Buffer;
  readonly repo_id: RepoId | null;
  readonly created_by: string | null;
}

/** The file and the terms that shall take the place of those in its row: other chunks of the same hashes. */
export interface Rewrite {
  readonly row: RewritableFile;
  readonly terms: readonly Term[];
}

/** Logs of files as they will be, in the store and not yet in rows. */
export type RewriteLogs = readonly {
  readonly log: StoredShardLog;
  readonly domainId: number;
  readonly repoId: RepoId;
  readonly fileIds: readonly number[];
}[];

/** Files for which `where` is true, by id, 100 at most. */
export async function selectRewritable(
  db: Queryable,
  where: string,
  values: readonly unknown[],
): Promise<RewritableFile[]> {
  const { rows } = await db.query<RewritableFile>(
    `SELECT f.id, f.domain_id, f.hash, f.sha256, f.size_bytes, f.sha256_state, f.terms, e.repo_id, e.created_by
     FROM xet_file f LEFT JOIN LATERAL (SELECT repo_id, created_by FROM repo_file e WHERE e.xet_file_id = f.id
                                        ORDER BY repo_id LIMIT 1) e ON true
     WHERE ${where} ORDER BY f.id LIMIT 100`,
    [...values],
  );
  return rows;
}

/** Stores logs of the files as they will be, by the repo that each is given back to when the tables must be made again. */
export async function storeRewriteLogs(
  app: Pick<App, 'db' | 'store' | 'clock'>,
  rewrites: readonly Rewrite[],
  signal: AbortSignal,
): Promise<RewriteLogs> {
  const byRepo = new Map<RepoId, Rewrite[]>();
  for (const rewrite of rewrites) {
    const { repo_id: repoId, sha256_state: state } = rewrite.row;
    if (repoId === null || state === 'bad' || state === 'lost') continue;
    byRepo.set(repoId, [...(byRepo.get(repoId) ?? []), rewrite]);
  }
  const logs: RewriteLogs[number][] = [];
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
    const log = await storeShardLog(app, owner, files, signal);
    logs.push({ log, domainId: first.domain_id, repoId, fileIds: list.map(({ row }) => row.id) });
  }
  return logs;
}

/**
 * Gives files their new terms and records the logs; a file that was changed since it was read stays as it is. Call it in
 * a transaction that has locked the xorbs of the new terms and seen that they are live. Returns the ids of what changed.
 */
export async function rewriteTerms(
  tx: Tx,
  rewrites: readonly Rewrite[],
  logs: RewriteLogs,
): Promise<number[]> {
  const changed: number[] = [];
  for (const rewrite of rewrites) if (await rewriteFile(tx, rewrite)) changed.push(rewrite.row.id);
  for (const { log, domainId, repoId, fileIds } of logs)
    await recordShardLog(tx, { domainId, repoId }, log, fileIds);
  return changed;
}

async function rewriteFile(tx: Tx, { row, terms }: Rewrite): Promise<boolean> {
  const changed = await tx.query('UPDATE xet_file SET terms = $2 WHERE id = $1 AND terms = $3', [
    row.id,
    packTerms(terms),
    row.terms,
  ]);
  if (changed.rowCount !== 1) return false;
  await tx.query('DELETE FROM xet_file_xorb WHERE file_id = $1', [row.id]);
  await tx.query('INSERT INTO xet_file_xorb (file_id, xorb_id) SELECT $1, unnest($2::bigint[])', [
    row.id,
    [...new Set(terms.map((term) => term.xorbId))],
  ]);
  return true;
}

import type { Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { bytesOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import { keepFiles } from '../keep-files.ts';
import { type IndexedChunk, indexChunks } from './chunk-index.ts';
import { pinXorbs, type Sha256State } from './db.ts';
import { packTerms, type Term } from './terms.ts';
import { nameXorbs } from './unnamed-xorbs.ts';

/** A file of a shard after all its hashes were checked. */
export interface CheckedFile {
  readonly hash: Buffer;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  readonly terms: readonly Term[];
  /** Those of its chunks that clients ask about. */
  readonly asked: readonly IndexedChunk[];
}

/** For whom files are registered. A guest may add files to the repo, but not put others in the place of its own. */
interface Owner {
  readonly repoId: RepoId;
  readonly userId: string;
  readonly isGuest: boolean;
}

/** The same after its SHA-256 was recomputed, or put off. */
export interface RegisteredFile extends CheckedFile {
  readonly state: Exclude<Sha256State, 'bad' | 'lost'>;
}

/**
 * Writes files, their edges to xorbs, the chunks by which they are found and the repo's right to read them; returns the ids in the order of `files`.
 * Works on whole lists: the number of statements does not grow with the number of files. Throws `busy` when a
 * xorb was condemned meanwhile.
 */
export async function registerFiles(
  tx: Tx,
  owner: Owner & { domainId: number },
  files: readonly RegisteredFile[],
): Promise<number[]> {
  const xorbIds = [...new Set(files.flatMap((f) => f.terms.map((t) => t.xorbId)))].sort((a, b) => a - b);
  if ((await pinXorbs(tx, xorbIds)) !== xorbIds.length)
    throw hubError('busy', 'data that this file refers to is just being removed: upload again');
  await nameXorbs(
    tx,
    files.flatMap((file) => file.terms),
  );
  const ids = await upsertFiles(tx, owner.domainId, files);
  await insertXorbEdges(tx, ids, files);
  await indexChunks(
    tx,
    owner.domainId,
    files.flatMap((file) => file.asked),
  );
  await linkToRepo(tx, owner, ids, files);
  return ids;
}

async function upsertFiles(tx: Tx, domainId: number, files: readonly RegisteredFile[]): Promise<number[]> {
  // The same file again takes the new terms: their xorbs are locked and live, the old ones need not be. The row is
  // locked by this and no longer doomed: garbage collection looks again under its own lock.
  const { rows } = await tx.query<{ id: number; hash: Buffer; sha256: Buffer }>(
    `INSERT INTO xet_file (domain_id, hash, size_bytes, terms, sha256, sha256_state)
     SELECT $1, * FROM unnest($2::bytea[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[])
     ON CONFLICT (domain_id, hash, sha256) DO UPDATE SET terms = EXCLUDED.terms, doomed_at = NULL,
       sha256_state = CASE WHEN xet_file.sha256_state = 'verified' THEN 'verified' ELSE EXCLUDED.sha256_state END
     RETURNING id, hash, sha256`,
    [
      domainId,
      files.map((f) => f.hash),
      files.map((f) => f.sizeBytes),
      files.map((f) => packTerms(f.terms)),
      files.map((f) => bytesOf(f.sha256)),
      files.map((f) => f.state),
    ],
  );
  const byKey = new Map(rows.map((r) => [`${r.hash.toString('hex')}${r.sha256.toString('hex')}`, r.id]));
  return files.map((f) => byKey.get(`${f.hash.toString('hex')}${f.sha256}`) as number);
}

async function insertXorbEdges(
  tx: Tx,
  ids: readonly number[],
  files: readonly RegisteredFile[],
): Promise<void> {
  await tx.query('DELETE FROM xet_file_xorb WHERE file_id = ANY($1::bigint[])', [ids]);
  const edges = files.flatMap((file, i) =>
    [...new Set(file.terms.map((t) => t.xorbId))].map((xorbId) => ({ fileId: ids[i] as number, xorbId })),
  );
  await tx.query(
    `INSERT INTO xet_file_xorb (file_id, xorb_id) SELECT * FROM unnest($1::bigint[], $2::bigint[])`,
    [edges.map((e) => e.fileId), edges.map((e) => e.xorbId)],
  );
}

/**
 * The right to read. An edge whose bytes are sure (a whole object, or a verified Xet file) keeps them; an unsure one
 * takes the new file, but an unverified file never stands beside a whole object.
 */
async function linkToRepo(
  tx: Tx,
  owner: Owner,
  ids: readonly number[],
  files: readonly RegisteredFile[],
): Promise<void> {
  const bySha = new Map(files.map((file, i) => [file.sha256, { file, id: ids[i] as number }]));
  const entries = [...bySha.values()];
  await tx.query(
    `INSERT INTO repo_file AS e (repo_id, sha256, size_bytes, xet_file_id, created_by)
     SELECT $1, sha256, size_bytes, file_id, $5
     FROM unnest($2::bytea[], $3::bigint[], $4::bigint[]) AS new(sha256, size_bytes, file_id) ORDER BY sha256
     ON CONFLICT (repo_id, sha256) DO UPDATE SET xet_file_id = EXCLUDED.xet_file_id,
       size_bytes = CASE WHEN e.object_id IS NULL THEN EXCLUDED.size_bytes ELSE e.size_bytes END
     WHERE NOT ($6 AND e.created_by <> $5)
       AND NOT EXISTS (SELECT 1 FROM xet_file f WHERE f.id = e.xet_file_id AND f.sha256_state = 'verified')
       AND (NOT EXISTS (SELECT 1 FROM stored_object o WHERE o.id = e.object_id AND o.state = 'live')
         OR EXISTS (SELECT 1 FROM xet_file f WHERE f.id = EXCLUDED.xet_file_id AND f.sha256_state = 'verified'))`,
    [
      owner.repoId,
      entries.map(({ file }) => bytesOf(file.sha256)),
      entries.map(({ file }) => file.sizeBytes),
      entries.map(({ id }) => id),
      owner.userId,
      owner.isGuest,
    ],
  );
  await keepFiles(
    tx,
    owner.repoId,
    entries.map(({ file }) => file.sha256),
  );
}

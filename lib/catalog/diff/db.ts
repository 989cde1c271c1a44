import { promisify } from 'node:util';
import { deflate, inflate } from 'node:zlib';
import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { TensorDelta, TensorRecord, WeightsFormat } from './types.ts';

const pack = promisify<Buffer, Buffer>(deflate);
const unpack = promisify<Buffer, Buffer>(inflate);

/** What is known of the tensors of a file. */
export type TensorDigest =
  | { readonly state: 'ready'; readonly format: WeightsFormat; readonly tensors: readonly TensorRecord[] }
  | { readonly state: 'invalid'; readonly reason: string };

type Packed = [name: string, dtype: string, shape: number[], start: number, bytes: number, hash: string];

/**
 * Digests of those files that this repo holds with verified bytes: whoever only claims a hash learns nothing. Plan:
 * repo_file_pkey, then tensor_digest_pkey and two primary keys, once per file.
 */
export async function selectDigests(
  db: Queryable,
  repoId: RepoId,
  sha256s: readonly Sha256[],
): Promise<Map<Sha256, TensorDigest>> {
  const { rows } = await db.query<{
    sha256: Buffer;
    format: WeightsFormat;
    reason: string | null;
    tensors: Buffer | null;
  }>(
    `SELECT d.sha256, d.format, d.reason, d.tensors
     FROM repo_file e JOIN tensor_digest d ON d.sha256 = e.sha256
     LEFT JOIN stored_object o ON o.id = e.object_id AND o.state = 'live'
     LEFT JOIN xet_file x ON x.id = e.xet_file_id AND x.sha256_state = 'verified'
     WHERE e.repo_id = $1 AND e.sha256 = ANY($2::bytea[]) AND (o.id IS NOT NULL OR x.id IS NOT NULL)`,
    [repoId, sha256s.map(bytesOf)],
  );
  const found = new Map<Sha256, TensorDigest>();
  for (const { sha256, format, reason, tensors } of rows) {
    const digest: TensorDigest =
      tensors === null
        ? { state: 'invalid', reason: reason ?? '' }
        : { state: 'ready', format, tensors: await unpackTensors(tensors) };
    found.set(hexOf<Sha256>(sha256), digest);
  }
  return found;
}

async function unpackTensors(packed: Buffer): Promise<TensorRecord[]> {
  const rows = JSON.parse((await unpack(packed)).toString('utf8')) as Packed[];
  return rows.map(([name, dtype, shape, start, sizeBytes, hash]) => {
    return { name, dtype, shape, start, sizeBytes, hash };
  });
}

/** Whether the tensors of a file have been hashed (or found to be no tensors). Plan: tensor_digest_pkey. */
export async function hasDigest(db: Queryable, sha256: Sha256): Promise<boolean> {
  const { rowCount } = await db.query('SELECT FROM tensor_digest WHERE sha256 = $1', [bytesOf(sha256)]);
  return rowCount === 1;
}

/** Writes down what a file holds, once: it cannot change. The caller has proved that the bytes have this hash. */
export async function insertDigest(db: Queryable, sha256: Sha256, digest: TensorDigest): Promise<void> {
  const tensors =
    digest.state === 'ready'
      ? await pack(
          Buffer.from(
            JSON.stringify(
              digest.tensors.map((t) => [t.name, t.dtype, t.shape, t.start, t.sizeBytes, t.hash]),
            ),
          ),
        )
      : null;
  await db.query(
    `INSERT INTO tensor_digest (sha256, format, reason, tensors) VALUES ($1, $2, $3, $4)
     ON CONFLICT (sha256) DO NOTHING`,
    [
      bytesOf(sha256),
      digest.state === 'ready' ? digest.format : 'none',
      digest.state === 'invalid' ? digest.reason.replaceAll('\0', '').toWellFormed().slice(0, 1_000) : null,
      tensors,
    ],
  );
}

/** Distances of the changed tensors of two files by name, or null while nobody measured them. Plan: primary key. */
export async function selectDeltas(
  db: Queryable,
  before: Sha256,
  after: Sha256,
): Promise<Map<string, TensorDelta> | null> {
  const { rows } = await db.query<{ deltas: Buffer }>(
    'SELECT deltas FROM tensor_delta WHERE before_sha256 = $1 AND after_sha256 = $2',
    [bytesOf(before), bytesOf(after)],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const entries = JSON.parse((await unpack(row.deltas)).toString('utf8')) as [string, TensorDelta][];
  return new Map(entries);
}

/** Writes down the distances of two files, once. */
export async function insertDeltas(
  db: Queryable,
  before: Sha256,
  after: Sha256,
  deltas: ReadonlyMap<string, TensorDelta>,
): Promise<void> {
  await db.query(
    `INSERT INTO tensor_delta (before_sha256, after_sha256, deltas) VALUES ($1, $2, $3)
     ON CONFLICT (before_sha256, after_sha256) DO NOTHING`,
    [bytesOf(before), bytesOf(after), await pack(Buffer.from(JSON.stringify([...deltas])))],
  );
}

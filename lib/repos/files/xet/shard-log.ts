import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import type { Queryable } from '#lib/base/db.ts';
import { gzipLines } from '#lib/base/gzip-lines.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import { refuseDeleting } from '../refuse-deleting.ts';
import { xorbsById } from './db.ts';
import type { RegisteredFile } from './register-files.ts';

const HEX64 = /^[0-9a-f]{64}$/;

const envelopeSchema = z.object({
  larderShard: z.literal(1),
  /** Whose domain (null: the hub's): ids of rows may change when tables are made again, this one does not. */
  namespaceId: z.string().nullable(),
  repoId: z.number().int(),
  userId: z.string(),
  at: z.string(),
});
const fileSchema = z.object({
  hash: z.string().regex(HEX64),
  sha256: z.string().regex(HEX64),
  sizeBytes: z.number().int().min(0),
  state: z.enum(['verified', 'unverified']),
  /** Hash of the xorb, first chunk, end, raw bytes. */
  terms: z.array(z.tuple([z.string().regex(HEX64), z.number().int(), z.number().int(), z.number().int()])),
});

/** Who registered files, where and when. */
export type ShardEnvelope = z.infer<typeof envelopeSchema>;
/** A file as its log tells of it; hashes are the raw bytes in hex. */
export type LoggedFile = z.infer<typeof fileSchema>;

/** A log that is in the store and not yet in a row. */
export interface StoredShardLog {
  readonly key: string;
  readonly sizeBytes: number;
}

const XORBS_PER_QUERY = 1000;

async function hashesOfXorbs(db: Queryable, files: readonly RegisteredFile[]): Promise<Map<number, string>> {
  const ids = [...new Set(files.flatMap((file) => file.terms.map((term) => term.xorbId)))];
  const hashes = new Map<number, string>();
  for (let at = 0; at < ids.length; at += XORBS_PER_QUERY)
    for (const row of await xorbsById(db, ids.slice(at, at + XORBS_PER_QUERY)))
      hashes.set(row.id, row.hash.toString('hex'));
  return hashes;
}

/**
 * Puts a log of these files into the store, before the transaction that registers them: with the xorbs themselves
 * it is all that is needed to make the Xet tables again. Gzipped JSON lines, an envelope first; it holds no hash of
 * a chunk, and no door of the hub gives it out. When the transaction fails, nothing names the log: garbage.
 */
export async function storeShardLog(
  app: Pick<App, 'db' | 'store' | 'clock'>,
  owner: { readonly domainId: number; readonly repoId: RepoId; readonly userId: string },
  files: readonly RegisteredFile[],
  signal?: AbortSignal,
): Promise<StoredShardLog> {
  const hashes = await hashesOfXorbs(app.db, files);
  const { rows } = await app.db.query<{ namespace_id: string | null }>(
    'SELECT namespace_id FROM xet_domain WHERE id = $1',
    [owner.domainId],
  );
  const envelope: ShardEnvelope = {
    larderShard: 1,
    namespaceId: rows[0]?.namespace_id ?? null,
    repoId: owner.repoId,
    userId: owner.userId,
    at: new Date(app.clock.now()).toISOString(),
  };
  const lines = files.map(
    (file): LoggedFile => ({
      hash: file.hash.toString('hex'),
      sha256: file.sha256,
      sizeBytes: file.sizeBytes,
      state: file.state,
      terms: file.terms.map((t) => [hashes.get(t.xorbId) ?? '', t.start, t.end, t.rawBytes]),
    }),
  );
  const text = [envelope, ...lines].map((line) => `${JSON.stringify(line)}\n`).join('');
  const body = await promisify(gzip)(text);
  const key = newObjectKey('shard');
  await app.store.put(key, body, { sizeBytes: body.length, ...(signal && { signal }) });
  return { key, sizeBytes: body.length };
}

/**
 * Inside the transaction that registers the files: the row that names their log. Throws busy when the log was taken for
 * an orphan meanwhile.
 */
export async function recordShardLog(
  tx: Queryable,
  owner: { readonly domainId: number; readonly repoId: RepoId },
  log: StoredShardLog,
  fileIds: readonly number[],
): Promise<void> {
  await tx.query(
    `WITH object AS (
       INSERT INTO stored_object (key, size_bytes, state) VALUES ($1, $2, 'live')
       ON CONFLICT (key) DO UPDATE SET state = stored_object.state WHERE stored_object.state = 'live' RETURNING id),
     shard AS (INSERT INTO xet_shard (domain_id, repo_id, object_id) SELECT $3, $4, id FROM object RETURNING id)
     INSERT INTO xet_shard_file (shard_id, file_id) SELECT shard.id, f FROM shard, unnest($5::bigint[]) AS f
     ON CONFLICT DO NOTHING`,
    [log.key, log.sizeBytes, owner.domainId, owner.repoId, [...new Set(fileIds)]],
  );
  await refuseDeleting(tx, log.key);
}

/** Every file of a log with the log's envelope, as it is read. Throws when it is not one of ours or damaged. */
export async function* readShardLog(
  app: Pick<App, 'store'>,
  key: string,
): AsyncGenerator<{ envelope: ShardEnvelope; file: LoggedFile }> {
  let envelope: ShardEnvelope | undefined;
  for await (const line of gzipLines(await app.store.get(key))) {
    if (envelope === undefined) envelope = envelopeSchema.parse(JSON.parse(line));
    else yield { envelope, file: fileSchema.parse(JSON.parse(line)) };
  }
}

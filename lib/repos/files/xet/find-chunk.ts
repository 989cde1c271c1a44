import { createHmac } from 'node:crypto';
import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { XetHash } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { keyFor } from '#lib/identity/signing.ts';
import { findIndexedXorbs, type NearXorb, pinFor, xorbsNear } from './chunk-index.ts';
import { chunkTables, xorbsById } from './db.ts';
import { blockBytes, dedupShard } from './dedup-shard.ts';
import { hashBytes } from './hashes.ts';
import { newestFileId, newestXorbs } from './newest-xorbs.ts';
import { createSlots } from './slots.ts';
import type { XetGrant } from './token.ts';
import { tellOnce } from './told-sessions.ts';
import { workerPool } from './worker-pool.ts';

const DAY_SECONDS = 86_400;
/** Clients keep one table in memory per key that they know: rotate rarely, let old answers lapse soon. */
const KEY_DAYS = 7;
const ANSWER_DAYS = 7;
/** 340,000 chunks, about 22 GB of data: what a client can use before it asks about the next chunk. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** 85,000 chunks, about 5.5 GB of data: a client that may need none of it waits for no more than this. */
const MAX_UNASKED_BYTES = 4 * 1024 * 1024;
const XORBS_AT_ONCE = 16;

/** An answer holds up to 32 MB while it is made. */
const answers = createSlots({ limit: 2, maxWaiting: 256, maxWaitMs: 20_000, what: 'questions about chunks' });

/**
 * The key that masks chunk hashes in this week's answers for a domain. Derived, so that all processes agree and nothing
 * is stored: an answer carries the key it was made with, and nobody needs an earlier one.
 */
function maskingKey(app: Pick<App, 'rootKey'>, grant: XetGrant, nowSeconds: number): Buffer {
  const period = Math.floor(nowSeconds / (KEY_DAYS * DAY_SECONDS));
  return createHmac('sha256', keyFor(app, 'xet-chunk-hashes'))
    .update(`${grant.domainId}-${grant.epoch}-${period}`)
    .digest();
}

function fitting(near: readonly NearXorb[], maxBytes: number): number[] {
  const ids: number[] = [];
  let bytes = 0;
  for (const { id, chunkCount } of near) {
    bytes += blockBytes(chunkCount);
    if (bytes > maxBytes && ids.length > 0) break;
    ids.push(id);
  }
  return ids;
}

async function blocksOf(app: App, ids: readonly number[], key: Buffer): Promise<Buffer[]> {
  const blocks: Buffer[] = [];
  for (let at = 0; at < ids.length; at += XORBS_AT_ONCE) {
    const some = ids.slice(at, at + XORBS_AT_ONCE);
    const rows = await xorbsById(app.db, some);
    const tables = await chunkTables(app.db, some);
    const made = rows.map(async ({ id, hash, storedBytes }) => {
      const xorb = { hash, storedBytes, table: tables.get(id) as Buffer };
      const { block } = await workerPool(app).run('maskXorb', { xorb, key });
      return Buffer.from(block.buffer, block.byteOffset, block.byteLength);
    });
    blocks.push(...(await Promise.all(made)));
  }
  return blocks;
}

const unknown = () => hubError('not_found', 'chunk not found');

/** Describes these xorbs, or as many of them as are still there; throws not_found when `needed` is not, or none. */
async function describe(
  app: App,
  grant: XetGrant,
  wanted: readonly number[],
  needed?: number,
): Promise<Buffer> {
  const pinned = new Set(await transaction(app.db, (tx) => pinFor(tx, wanted, ANSWER_DAYS + 1)));
  if (pinned.size === 0 || (needed !== undefined && !pinned.has(needed))) throw unknown();
  const createdAt = Math.floor(app.clock.now() / 1000);
  const key = maskingKey(app, grant, createdAt);
  const blocks = await blocksOf(app, [...pinned], key);
  return dedupShard(blocks, key, { createdAt, expiresAt: createdAt + ANSWER_DAYS * DAY_SECONDS });
}

/** What the newest files consist of that the session was not told about. */
async function describeNewest(
  app: App,
  grant: XetGrant,
  session: string,
  signal: AbortSignal,
): Promise<Buffer> {
  let answer: Buffer | undefined;
  await tellOnce(app, `${grant.repoId} ${session}`, async (upTo) => {
    const newest = await newestFileId(app.db);
    const xorbs = newest > upTo ? await newestXorbs(app.db, grant, { after: upTo }) : [];
    if (xorbs.length === 0) return newest;
    answer = await answers.use(() => describe(app, grant, fitting(xorbs, MAX_UNASKED_BYTES)), signal);
    return newest;
  });
  if (answer === undefined) throw unknown();
  return answer;
}

/**
 * What a client needs to refer to a chunk that its domain has, and to what stands around it, instead of sending them: a
 * shard with the chunk's xorb and its neighbours (16 MB at most). For a chunk that nobody has, and once in a `session`
 * of uploading: what the newest files of the repo and its neighbours consist of (4 MB at most), since a client asks
 * about so few chunks that it would else find little of what it shares with them. Chunk hashes are masked, since
 * knowing them in the clear is how an uploader proves that it has the bytes; the xorbs stay for longer than the answer
 * is believed. Only for who may write into the domain and might find out by uploading, and unasked only for who may
 * read the namespace's repos: throws not_found for everything else, as for a chunk that is not here.
 */
export async function findChunk(
  app: App,
  grant: XetGrant,
  question: { readonly hash: XetHash; readonly session: string },
  signal: AbortSignal,
): Promise<Buffer> {
  if (grant.scope !== 'write') throw unknown();
  const [xorbId] = await findIndexedXorbs(app.db, grant.domainId, [hashBytes(question.hash)]);
  if (xorbId !== undefined) {
    const answer = async () =>
      describe(
        app,
        grant,
        fitting(await xorbsNear(app.db, grant.domainId, xorbId), MAX_ANSWER_BYTES),
        xorbId,
      );
    return answers.use(answer, signal);
  }
  if (grant.isGuest) throw unknown();
  return describeNewest(app, grant, question.session, signal);
}

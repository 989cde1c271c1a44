import { randomInt } from 'node:crypto';
import { transaction } from '#lib/base/db.ts';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import { askedChunks } from '../files/xet/asked-chunks.ts';
import { chunkCount, rawEnd, storedEnd } from '../files/xet/chunk-table.ts';
import { domainOf, insertXorb, liveXorbs } from '../files/xet/db.ts';
import { hashStoredXorb } from '../files/xet/hash-stored-xorb.ts';
import { XetInvalid } from '../files/xet/invalid.ts';
import { xetFileRegistered } from '../files/xet/jobs.ts';
import { type RegisteredFile, registerFiles } from '../files/xet/register-files.ts';
import { type LoggedFile, readShardLog, recordShardLog, type ShardEnvelope } from '../files/xet/shard-log.ts';

/** What was made again, and what could not be. */
export interface Rebuilt {
  logs: number;
  xorbs: number;
  files: number;
  /** Edges of repos that their reachable pointers prove. */
  edges: number;
  /** Files whose log names a xorb that the store does not have. */
  lost: number;
}

type Say = (text: string) => void;

/** Which domains (by namespace) need a xorb; from all logs. */
type Wanted = Map<string, Set<string | null>>;

async function readWanted(app: App, rebuilt: Rebuilt, say: Say): Promise<Wanted> {
  const wanted: Wanted = new Map();
  for await (const { key } of app.store.list('shard/')) {
    rebuilt.logs++;
    say(`read ${rebuilt.logs} logs`);
    for await (const { envelope, file } of readShardLog(app, key))
      for (const [hash] of file.terms) {
        let domains = wanted.get(hash);
        if (domains === undefined) wanted.set(hash, (domains = new Set()));
        domains.add(envelope.namespaceId);
      }
  }
  return wanted;
}

/** Keys that are the object of some xorb already. */
async function isTaken(app: App, key: string): Promise<boolean> {
  const { rows } = await app.db.query(
    'SELECT 1 FROM xorb x JOIN stored_object o ON o.id = x.object_id WHERE o.key = $1',
    [key],
  );
  return rows.length > 0;
}

async function copyObject(app: App, from: string, sizeBytes: number): Promise<string> {
  const key = newObjectKey('xorb');
  await app.store.put(key, await app.store.get(from), { sizeBytes });
  return key;
}

/** Reads every stored xorb, and makes a row of it in each domain that needs it and has none. */
async function makeXorbs(app: App, wanted: Wanted, rebuilt: Rebuilt, say: Say): Promise<void> {
  for await (const { key, sizeBytes } of app.store.list('xorb/')) {
    if (await isTaken(app, key)) continue;
    const hashed = await hashStoredXorb(app, key).catch((error) => {
      if (error instanceof XetInvalid) return null;
      throw error;
    });
    if (hashed === null) continue;
    let isUsed = false;
    for (const namespaceId of wanted.get(hashed.hash.toString('hex')) ?? []) {
      const domainId = (await domainOf(app.db, namespaceId || null)).id;
      if ((await liveXorbs(app.db, domainId, [hashed.hash])).length > 0) continue;
      // One object belongs to one xorb row: whoever collects the one must not take the bytes of the other.
      const objectKey = isUsed ? await copyObject(app, key, sizeBytes) : key;
      isUsed = true;
      await makeXorb(app, { domainId, objectKey, sizeBytes, ...hashed });
      rebuilt.xorbs++;
    }
    say(`made ${rebuilt.xorbs} xorbs`);
  }
}

async function makeXorb(
  app: App,
  found: { domainId: number; objectKey: string; sizeBytes: number; table: Buffer; hash: Buffer },
): Promise<void> {
  const last = chunkCount(found.table) - 1;
  await transaction(app.db, async (tx) => {
    // The object's own row may have outlived the xorb's.
    await tx.query('DELETE FROM stored_object WHERE key = $1', [found.objectKey]);
    await insertXorb(
      tx,
      {
        domainId: found.domainId,
        repoId: 0 as RepoId,
        hash: found.hash,
        table: found.table,
        chunkCount: last + 1,
        rawBytes: rawEnd(found.table, last),
        storedBytes: storedEnd(found.table, last),
        objectKey: found.objectKey,
        objectBytes: found.sizeBytes,
        unnamedBy: null,
      },
      null,
    );
  });
}

/** A logged file with the ids of its xorbs; null when one of them is not there. */
async function fileOf(app: App, domainId: number, logged: LoggedFile): Promise<RegisteredFile | null> {
  const hashes = [...new Set(logged.terms.map(([hash]) => hash))];
  const rows = await liveXorbs(
    app.db,
    domainId,
    hashes.map((hash) => Buffer.from(hash, 'hex')),
  );
  const ids = new Map(rows.map((row) => [row.hash.toString('hex'), row.id]));
  if (ids.size !== hashes.length) return null;
  const terms = logged.terms.map(([hash, start, end, rawBytes]) => ({
    xorbId: ids.get(hash) as number,
    start,
    end,
    rawBytes,
  }));
  return {
    hash: Buffer.from(logged.hash, 'hex'),
    sha256: logged.sha256 as Sha256,
    sizeBytes: logged.sizeBytes,
    state: logged.state,
    asked: await askedChunks(app.db, terms),
    terms,
  };
}

async function isRepoLive(app: App, repoId: number): Promise<boolean> {
  const { rows } = await app.db.query('SELECT 1 FROM repo WHERE id = $1 AND deleted_at IS NULL', [repoId]);
  return rows.length > 0;
}

async function makeFile(
  app: App,
  log: { key: string; sizeBytes: number },
  envelope: ShardEnvelope,
  logged: LoggedFile,
): Promise<boolean> {
  const domainId = (await domainOf(app.db, envelope.namespaceId || null)).id;
  const file = await fileOf(app, domainId, logged);
  if (file === null) return false;
  const owner = { domainId, repoId: envelope.repoId as RepoId, userId: envelope.userId, isGuest: false };
  await transaction(app.db, async (tx) => {
    const ids = await registerFiles(tx, owner, [file]);
    await recordShardLog(tx, owner, log, ids);
    if (file.state === 'unverified')
      await app.queue.enqueue(tx, xetFileRegistered, { fileId: ids[0] as number });
  });
  return true;
}

/** Reads the logs a second time and registers what they tell of, for repos that are still there. */
async function makeFiles(app: App, rebuilt: Rebuilt, say: Say): Promise<void> {
  for await (const { key, sizeBytes } of app.store.list('shard/'))
    for await (const { envelope, file } of readShardLog(app, key)) {
      if (!(await isRepoLive(app, envelope.repoId))) continue;
      if (await makeFile(app, { key, sizeBytes }, envelope, file)) rebuilt.files++;
      else rebuilt.lost++;
      say(`made ${rebuilt.files} files`);
    }
}

/**
 * Edges that no log tells of (files copied from other repos): a pointer in a repo's history was only let in because
 * the repo held the file, so the file is given back to it.
 */
async function makeEdges(app: App, rebuilt: Rebuilt): Promise<void> {
  const { rowCount } = await app.db.query(
    `WITH found AS (
       SELECT DISTINCT ON (g.repo_id, g.lfs_sha256) g.repo_id, g.lfs_sha256, x.size_bytes, x.id, r.created_by
       FROM repo r JOIN git_object g ON g.repo_id = r.id AND g.lfs_sha256 IS NOT NULL
       JOIN xet_file x ON x.sha256 = g.lfs_sha256 AND x.size_bytes = g.lfs_size AND x.sha256_state = 'verified'
       WHERE r.deleted_at IS NULL
         AND NOT EXISTS (SELECT FROM repo_file e WHERE e.repo_id = g.repo_id AND e.sha256 = g.lfs_sha256)
       ORDER BY g.repo_id, g.lfs_sha256, x.id),
     held AS MATERIALIZED (SELECT id FROM xet_file WHERE id IN (SELECT id FROM found) FOR KEY SHARE)
     INSERT INTO repo_file (repo_id, sha256, size_bytes, xet_file_id, created_by)
     SELECT found.repo_id, found.lfs_sha256, found.size_bytes, found.id, found.created_by
     FROM found JOIN held USING (id) ON CONFLICT DO NOTHING`,
  );
  rebuilt.edges += rowCount ?? 0;
}

/** What clients remember of uploads may name xorbs that did not come back. */
async function raiseEpochs(app: App): Promise<void> {
  await app.db.query('UPDATE xet_domain SET epoch = epoch % 1000000000 + $1', [randomInt(1_000, 1_000_000)]);
}

/**
 * Makes xorb, xet_file, xet_file_xorb, xet_shard and the edges of repos again from what the store holds: xorbs tell
 * their own hashes, the logs tell which files were made of them and whose they are. Adds only what is missing, so it
 * may be stopped and run again at any time; the hub may run. Time: one reading of every xorb that has no row.
 */
export async function rebuildXet(app: App, say: Say = () => {}): Promise<Rebuilt> {
  const rebuilt: Rebuilt = { logs: 0, xorbs: 0, files: 0, edges: 0, lost: 0 };
  const wanted = await readWanted(app, rebuilt, say);
  await makeXorbs(app, wanted, rebuilt, say);
  await makeFiles(app, rebuilt, say);
  await makeEdges(app, rebuilt);
  await raiseEpochs(app);
  return rebuilt;
}

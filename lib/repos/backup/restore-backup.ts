import { createHash, randomInt } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline, Transform } from 'node:stream';
import type { Config } from '#lib/base/config.ts';
import { transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { createStore } from '#lib/storage/create-store.ts';
import { nullWhenMissing } from '#lib/storage/local-write.ts';
import type { ObjectStore } from '#lib/storage/object-store.ts';
import { markLost } from '../files/mark-lost.ts';
import { xetFileRegistered } from '../files/xet/jobs.ts';
import { repoPushed } from '../jobs.ts';
import {
  type ListedObject,
  listBackups,
  type Manifest,
  place,
  readManifest,
  readObjectList,
} from './backup-folder.ts';
import { eachAtOnce, readSums } from './copy-down.ts';
import { contentsOf, loadDatabase, RESTORING } from './load-database.ts';

export interface RestoreOptions {
  readonly dir: string;
  /** Name of the backup; null: the newest. */
  readonly name: string | null;
  /** Throws away what the hub holds now. */
  readonly replace: boolean;
}

export interface RestoreResult {
  readonly name: string;
  readonly manifest: Manifest;
  /** Objects that were put into the store; the others were there. */
  readonly put: number;
  /** Neither in the backup nor in the store, or damaged: marked as lost, named by `npm run check`. */
  readonly lost: string[];
}

const AT_ONCE = 4;
const JOBS_AT_ONCE = 500;

/** Puts one object of the backup into the store, hashing it on the way. False when it is not there or damaged. */
async function putObject(
  store: ObjectStore,
  dir: string,
  object: ListedObject,
  expected: string | undefined,
): Promise<boolean> {
  const path = place.object(dir, object.key);
  const info = await stat(path).catch(nullWhenMissing);
  if (info?.size !== object.sizeBytes) return false;
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const body = pipeline(createReadStream(path), hashing, () => {}); // what fails here fails the put
  await store.put(object.key, body, { sizeBytes: object.sizeBytes });
  if (expected === undefined || hash.digest('hex') === expected) return true;
  await store.delete([object.key]);
  return false;
}

/** Brings every listed object into the store that does not have it. Returns how many, and the keys that could not be. */
async function putObjects(
  store: ObjectStore,
  dir: string,
  dump: string,
  say: (text: string) => void,
): Promise<{ put: number; lost: string[] }> {
  const sums = await readSums(dir);
  const lost: string[] = [];
  let [put, seen] = [0, 0];
  await eachAtOnce(readObjectList(dump), AT_ONCE, async (object) => {
    const there = await store.head(object.key);
    if (there?.sizeBytes !== object.sizeBytes) {
      if (await putObject(store, dir, object, object.sha256 ?? sums.get(object.key))) put++;
      else lost.push(object.key);
      await failpoint('restore.object-put');
    }
    say(`${++seen} objects`);
  });
  return { put, lost };
}

/** What must not go on as if nothing had happened: uploads at a store that may be another, engines of another time. */
const SETTLE = [
  `UPDATE upload SET state = 'aborted' WHERE state = 'open'`,
  `UPDATE tus_upload SET state = 'aborted' WHERE state = 'open'`,
  `UPDATE replica SET state = 'exited', ended_at = now() WHERE state <> 'exited'`,
  `UPDATE endpoint SET lease_owner = NULL, lease_until = NULL`,
];

async function settle(app: App, lost: readonly string[]): Promise<void> {
  for (const text of SETTLE) await app.db.query(text);
  // Clients remember what they uploaded after the backup was made: without a new address they would not send it again.
  await app.db.query('UPDATE xet_domain SET epoch = epoch % 1000000000 + $1', [randomInt(1_000, 1_000_000)]);
  const { rows } = await app.db.query<{ id: number }>(
    `SELECT id FROM stored_object WHERE key = ANY($1::text[]) AND state = 'live'`,
    [lost],
  );
  for (const { id } of rows) await markLost(app, id, 'missing');
  await enqueueAll(app);
  await app.db.query('DELETE FROM secret WHERE name = $1', [RESTORING]);
}

/** Jobs are not in a backup: what they would have worked on is asked for again. Each bears being run twice. */
async function enqueueAll(app: App): Promise<void> {
  const repos = await app.db.query<{ id: RepoId }>(
    'SELECT id FROM repo WHERE deleted_at IS NULL ORDER BY id',
  );
  const files = await app.db.query<{ id: number }>(
    `SELECT id FROM xet_file WHERE sha256_state = 'unverified' ORDER BY id`,
  );
  for (let at = 0; at < repos.rows.length; at += JOBS_AT_ONCE)
    await transaction(app.db, async (tx) => {
      for (const { id } of repos.rows.slice(at, at + JOBS_AT_ONCE))
        await app.queue.enqueue(tx, repoPushed, { repoId: id }, { key: String(id) });
    });
  for (let at = 0; at < files.rows.length; at += JOBS_AT_ONCE)
    await transaction(app.db, async (tx) => {
      for (const { id } of files.rows.slice(at, at + JOBS_AT_ONCE))
        await app.queue.enqueue(tx, xetFileRegistered, { fileId: id });
    });
}

/**
 * Brings a backup back: its objects into the configured store, then the whole database. Refuses while the hub runs,
 * and when the hub holds anything unless `replace` is given. Afterwards every domain has a new epoch, unfinished
 * uploads are given up, and what could not be brought back is marked as lost. Dying at any line: run it again.
 */
export async function restoreBackup(
  config: Config,
  options: RestoreOptions,
  say: (text: string) => void = () => {},
): Promise<RestoreResult> {
  const names = await listBackups(options.dir);
  const name = options.name ?? names.at(-1);
  if (name === undefined || !names.includes(name))
    throw new Error(
      `there is no backup ${options.name ?? ''} in ${options.dir}: it has ${names.join(', ') || 'none'}`,
    );
  const manifest = await readManifest(options.dir, name);
  const contents = await contentsOf(config.DATABASE_URL);
  if (contents !== null && !options.replace)
    throw new Error(`this hub holds ${contents}: --replace throws them away for the backup ${name}`);
  const dump = place.dump(options.dir, name);
  const store = await createStore(config);
  const { put, lost } = await putObjects(store, options.dir, dump, say).finally(() => store.close());
  await loadDatabase(config.DATABASE_URL, dump, manifest, say);
  const app = await createApp({ config, program: 'restore' });
  await settle(app, lost).finally(() => closeApp(app));
  return { name, manifest, put, lost };
}

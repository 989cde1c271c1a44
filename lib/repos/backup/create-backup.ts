import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { failpoint } from '#lib/base/failpoint.ts';
import type { App } from '#lib/identity/context.ts';
import { holdDeletions } from '../files/deletion-hold.ts';
import {
  finishBackup,
  listBackups,
  type Manifest,
  openBackupFolder,
  place,
  readObjectList,
} from './backup-folder.ts';
import { type Copied, copyDown } from './copy-down.ts';
import { dumpDatabase } from './dump-database.ts';
import { pruneBackups } from './prune-backups.ts';
import { verifyBackup } from './verify-backup.ts';

export interface BackupOptions {
  readonly dir: string;
  /** False: the list of objects alone, for stores that are backed up by other means. */
  readonly withObjects: boolean;
  /** Reads every object of this backup again and compares it with its sum. */
  readonly verify: boolean;
  /** How many finished backups stay; null: all. */
  readonly keep: number | null;
}

export interface BackupResult {
  readonly name: string;
  readonly manifest: Manifest;
  readonly copied: Copied;
  /** Names of older backups that were removed. */
  readonly pruned: string[];
}

const HOLD_TRIES = 40;
const HOLD_PAUSE_MS = 250;
const NOTHING: Copied = { count: 0, bytes: 0, newObjects: 0, newBytes: 0, failed: [] };

/**
 * 20261126T113000Z: sorts by time, and is a name on every file system. The first second from `ms` on that no backup in
 * `dir` has: two may end within one.
 */
async function freeName(dir: string, ms: number): Promise<string> {
  const taken = new Set(await listBackups(dir));
  for (let at = ms; ; at += 1000) {
    const name = new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');
    if (!taken.has(name)) return name;
  }
}

async function hold(client: pg.Client): Promise<void> {
  for (let i = 0; i < HOLD_TRIES; i++) {
    if (await holdDeletions(client)) return;
    await sleep(HOLD_PAUSE_MS); // the garbage collector is just taking a batch out of use, or another backup runs
  }
  throw new Error('another backup of this hub runs');
}

/**
 * Makes a backup while the hub runs: the database as it is at one moment, then every object that it names. From
 * before that moment until the end no object loses its bytes (deletion-hold.ts). Objects that the folder has already
 * are not copied again. A backup counts only when it is whole: dying at any line leaves a draft, which the next one
 * removes, and objects, which the next one uses.
 */
export async function createBackup(
  app: App,
  options: BackupOptions,
  say: (text: string) => void = () => {},
): Promise<BackupResult> {
  const { dir } = options;
  const client = new pg.Client({
    connectionString: app.config.DATABASE_URL,
    application_name: 'larder backup',
  });
  let broken: Error | undefined;
  client.on('error', (error) => {
    broken = error; // without the connection nothing holds deletions off: the backup must not count
  });
  await client.connect();
  try {
    await hold(client);
    await openBackupFolder(dir);
    const name = await freeName(dir, app.clock.now());
    const draft = place.draft(dir, name);
    await mkdir(draft, { mode: 0o700 });
    const database = await dumpDatabase(client, draft, say);
    await failpoint('backup.dumped');
    const isStillUsed = async (key: string) =>
      (await app.db.query(`SELECT 1 FROM stored_object WHERE key = $1 AND state = 'live'`, [key])).rows
        .length > 0;
    const copied = options.withObjects
      ? await copyDown(app.store, dir, readObjectList(draft), isStillUsed, say)
      : { ...NOTHING, failed: [] };
    if (options.verify) copied.failed.push(...(await verifyBackup(dir, draft, say)));
    await client.query('SELECT 1');
    if (broken) throw new Error('the connection to the database was lost: run it again', { cause: broken });
    const { count, bytes, failed } = copied;
    const manifest: Manifest = {
      version: 1,
      at: new Date(app.clock.now()).toISOString(),
      ...database,
      objects: { copied: options.withObjects, count, bytes, failed },
    };
    await finishBackup(dir, name, manifest);
    const pruned = options.keep === null ? [] : await pruneBackups(dir, options.keep);
    return { name, manifest, copied, pruned };
  } finally {
    await client.end();
  }
}

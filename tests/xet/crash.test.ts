import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createLocalStore } from '#lib/storage/local-store.ts';
import { hashesOf } from '../clients/files.ts';
import { hf, hfOk } from '../clients/python.ts';
import { type Hub, startHub } from '../support/hub.ts';

let hub: Hub;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-xet-crash-'));
  hub = await startHub();
});
afterAll(async () => {
  await hub?.stop();
  await rm(dir, { recursive: true, force: true });
});

/** Every row that promises bytes has them in the store. */
async function expectConsistent(): Promise<void> {
  const db = new pg.Client({ connectionString: hub.databaseUrl });
  await db.connect();
  try {
    const store = await createLocalStore(join(hub.dataDir, 'objects'));
    const { rows } = await db.query(
      `SELECT key, size_bytes::int AS size FROM stored_object WHERE state = 'live'`,
    );
    for (const { key, size } of rows) expect((await store.head(key))?.sizeBytes).toBe(size);
    const broken = await db.query(
      `SELECT count(*)::int AS n FROM xet_file f JOIN xet_file_xorb e ON e.file_id = f.id
       LEFT JOIN xorb x ON x.id = e.xorb_id LEFT JOIN stored_object o ON o.id = x.object_id WHERE o.id IS NULL`,
    );
    expect(broken.rows[0].n).toBe(0);
  } finally {
    await db.end();
  }
}

test('kill -9 again and again during an upload: no promise without bytes, and the same command then succeeds', async () => {
  const folder = join(dir, 'content');
  await mkdir(folder);
  for (let i = 0; i < 3; i++) await writeFile(join(folder, `part-${i}.bin`), randomBytes(60_000_000));
  const client = { endpoint: hub.url, token: hub.adminToken, home: join(dir, 'home') };
  for (const afterMs of [900, 1500, 2500]) {
    const upload = hf(['upload', 'admin/model', folder], client);
    await sleep(afterMs);
    await hub.kill();
    await sleep(200);
    await hub.restart();
    await upload; // whatever became of it
    await expectConsistent();
  }
  await hfOk(['upload', 'admin/model', folder], client);
  await expectConsistent();
  const target = join(dir, 'down');
  await hfOk(['download', 'admin/model', '--local-dir', target], client);
  const { '.gitattributes': _, ...files } = await hashesOf(target);
  expect(files).toEqual(await hashesOf(folder));
}, 240_000);

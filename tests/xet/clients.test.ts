import { createHash, type Hash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readChunkRecord } from '#lib/repos/files/xet/chunk-records.ts';
import { createLocalStore } from '#lib/storage/local-store.ts';
import { hashesOf } from '../clients/files.ts';
import { hfOk } from '../clients/python.ts';
import { type Hub, startHub } from '../support/hub.ts';

const MIB = 1024 * 1024;

let hub: Hub;
let dir: string;
let db: pg.Client;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-xet-'));
  hub = await startHub({ env: { LOG_LEVEL: 'debug' } });
  db = new pg.Client({ connectionString: hub.databaseUrl });
  await db.connect();
});
afterAll(async () => {
  await db?.end();
  await hub?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

const client = (home: string, env: Record<string, string> = {}) => ({
  endpoint: hub.url,
  token: hub.adminToken,
  home: join(dir, 'home', home),
  env,
});

/** Numbers as trained weights have them: the upper bytes repeat, the lower ones do not. */
function bfloat16Weights(count: number): Buffer {
  const floats = new Float32Array(count).map(
    () => (Math.random() + Math.random() + Math.random() - 1.5) / 20,
  );
  const words = new Uint32Array(floats.buffer);
  return Buffer.from(Uint16Array.from(words, (word) => word >>> 16).buffer);
}

/** Chunks per compression scheme in everything the hub stored. */
async function schemes(): Promise<Record<string, number>> {
  const store = await createLocalStore(join(hub.dataDir, 'objects'));
  const counts: Record<string, number> = {};
  for await (const object of store.list('xorb/')) {
    const bytes = Buffer.concat(await (await store.get(object.key)).toArray());
    for (let at = 0; at < bytes.length; ) {
      const record = readChunkRecord(bytes, at);
      counts[record.scheme] = (counts[record.scheme] ?? 0) + 1;
      at = record.dataEnd;
    }
  }
  return counts;
}

describe('the stock client as the oracle of our codecs', () => {
  let folder: string;

  beforeAll(async () => {
    folder = join(dir, 'content');
    await mkdir(join(folder, 'many'), { recursive: true });
    const text = 'It was the best of times, it was the worst of times. ';
    const files: Record<string, Buffer> = {
      'random.bin': randomBytes(9 * MIB),
      'weights.safetensors': bfloat16Weights(4 * MIB),
      'text.parquet': Buffer.from(Array.from({ length: 60_000 }, (_, i) => text + i).join('\n')),
      'zeros.bin': Buffer.alloc(3 * MIB),
      'one-byte.bin': Buffer.from('x'),
      'odd.bin': bfloat16Weights(100_001).subarray(0, 200_001),
      'empty.bin': Buffer.alloc(0),
    };
    for (let i = 0; i < 60; i++) files[`many/part-${i}.bin`] = randomBytes(1 + i * 1000);
    for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  });

  test('what hf_xet chunks, compresses and hashes, we decode and hash to the same', async () => {
    await hfOk(['upload', 'admin/oracle', folder], client('one'));
    const { rows } = await db.query(
      `SELECT count(*)::int AS files FROM xet_file WHERE sha256_state = 'verified'`,
    );
    expect(rows[0].files).toBeGreaterThanOrEqual(66);
    expect(Object.keys(await schemes()).sort()).toEqual(['byte-grouped-lz4', 'lz4', 'none']);
  });

  test.each([
    ['Xet', 'xet.reconstructV2', {}],
    ['the first version of Xet', 'xet.reconstructV1', { HF_XET_CLIENT_RECONSTRUCTION_API_VERSION: '1' }],
    ['the bridge', null, { HF_HUB_DISABLE_XET: '1' }],
  ])('every file comes back through %s', async (what, operation, env) => {
    const target = join(dir, what.replaceAll(' ', '-'));
    const before = hub.logs().length;
    await hfOk(['download', 'admin/oracle', '--local-dir', target], client(what.replaceAll(' ', '-'), env));
    const used = new Set(
      hub
        .logs()
        .slice(before)
        .match(/xet\.reconstructV\d/g),
    );
    expect([...used]).toEqual(operation === null ? [] : [operation]);
    const { '.gitattributes': _, ...files } = await hashesOf(target);
    expect(files).toEqual(await hashesOf(folder));
  });

  test('the first version of shards registers the same', async () => {
    await hfOk(['upload', 'admin/oracle-v1', folder], client('v1', { HF_XET_CLIENT_SHARD_API_VERSION: '1' }));
    expect(hub.logs()).toContain('xet.putShardV1');
    const target = join(dir, 'v1-down');
    await hfOk(['download', 'admin/oracle-v1', '--local-dir', target], client('v1-down'));
    const { '.gitattributes': _, ...files } = await hashesOf(target);
    expect(files).toEqual(await hashesOf(folder));
  });

  test('a hub that lost its data under the same address is uploaded to again without trouble', async () => {
    await db.query('UPDATE xet_domain SET epoch = epoch + 1');
    await hfOk(['upload', 'admin/oracle-again', folder], client('one'));
  });
});

/** Largest growth of the server's resident memory while `work` runs, in bytes. */
async function growthWhile(work: () => Promise<void>): Promise<number> {
  const residentBytes = async () => {
    const status = await readFile(`/proc/${hub.serverPid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
  };
  const start = await residentBytes();
  let most = start;
  const timer = setInterval(() => {
    void residentBytes().then((bytes) => {
      most = Math.max(most, bytes);
    });
  }, 50);
  await work().finally(() => clearInterval(timer));
  return most - start;
}

describe.runIf(process.platform === 'linux')('memory stays flat, whatever the size of the file', () => {
  const SIZE = 512 * MIB;
  const path = () => join(dir, 'large.bin');
  const url = () => `${hub.url}/admin/large/resolve/main/large.bin`;
  const hash = createHash('sha256');

  beforeAll(async () => {
    async function* bytes() {
      for (let i = 0; i < SIZE / MIB; i++) {
        const part = randomBytes(MIB);
        hash.update(part);
        yield part;
      }
    }
    await writeFile(path(), Readable.from(bytes()));
  });

  test('while 512 MiB are uploaded and their SHA-256 is recomputed', async () => {
    const growth = await growthWhile(async () => {
      await hfOk(['upload', 'admin/large', path()], client('large'));
    });
    expect(growth).toBeLessThan(300 * MIB);
  });

  test('while 512 MiB are downloaded through the bridge', async () => {
    await hub.kill();
    await hub.restart(); // memory that the upload left behind must not hide anything
    const download = async (range: string, received: Hash) => {
      const answer = await fetch(url(), { headers: { authorization: `Bearer ${hub.adminToken}`, range } });
      await pipeline(answer.body as unknown as AsyncIterable<Uint8Array>, received);
    };
    await download(`bytes=0-${32 * MIB}`, createHash('sha256')); // the threads run, the code is compiled
    const received = createHash('sha256');
    const growth = await growthWhile(() => download('bytes=0-', received));
    expect(received.digest('hex')).toBe(hash.digest('hex'));
    expect(growth).toBeLessThan(64 * MIB);
  });
});

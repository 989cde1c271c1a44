import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hf } from '#tests/clients/python.ts';
import { type FragileHub, startFragileHub } from '#tests/faults/fragile-hub.ts';
import { eventually, pause, seededRandom, seedsAsked } from '#tests/faults/nemesis.ts';
import type { Hub } from '#tests/support/hub.ts';
import { sendByTus } from './js-client.ts';

const MIB = 2 ** 20;
const REPO = 'admin/seeds';
const SEEDS = seedsAsked('1-25');
const CHECK_EVERY = 25;

interface File {
  readonly bytes: Buffer;
  readonly sha256: string;
}
interface BatchObject {
  readonly actions?: Record<string, { href: string; header?: Record<string, string> }>;
}
/** Brings a file in; returns when the hub has acknowledged it, throws when it did not. */
type Door = (file: File) => Promise<void>;

let folder: string;
let fragile: FragileHub;
let hub: Hub;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-upload-seeds-'));
  fragile = await startFragileHub({ env: { LOG_LEVEL: 'fatal' } });
  hub = fragile.hub;
  await call('POST', '/api/repos/create', { name: 'seeds' });
});
afterAll(async () => {
  await fragile?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function call(method: string, path: string, body: unknown): Promise<unknown> {
  const answer = await fetch(path.startsWith('http') ? path : hub.url + path, {
    method,
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(20_000),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

async function batch(
  operation: 'upload' | 'download',
  file: File,
  transfers: string[],
): Promise<BatchObject> {
  const objects = [{ oid: file.sha256, size: file.bytes.length }];
  const answer = await call('POST', `/${REPO}.git/info/lfs/objects/batch`, { operation, transfers, objects });
  return (answer as { objects: BatchObject[] }).objects[0] as BatchObject;
}

async function put(url: string, bytes: Buffer): Promise<Response> {
  const answer = await fetch(url, { method: 'PUT', body: new Uint8Array(bytes) });
  if (!answer.ok) throw new Error(`PUT: ${answer.status}`);
  await answer.arrayBuffer();
  return answer;
}

const byTus: Door = async (file) => {
  const metadata = { sha256: file.sha256 };
  await sendByTus(`${hub.url}/api/models/${REPO}/tus`, hub.adminToken, file.bytes, { metadata }).done;
};

const byBasic: Door = async (file) => {
  const { actions } = await batch('upload', file, ['basic']);
  if (!actions) return;
  await put(actions.upload?.href as string, file.bytes);
  await call('POST', actions.verify?.href as string, { oid: file.sha256, size: file.bytes.length });
};

const byMultipart: Door = async (file) => {
  const { actions } = await batch('upload', file, ['multipart']);
  if (!actions) return;
  const { chunk_size, ...urls } = actions.upload?.header ?? {};
  const size = Number(chunk_size);
  const parts = [];
  for (const [i, key] of Object.keys(urls).sort().entries()) {
    const answer = await put(urls[key] as string, file.bytes.subarray(i * size, (i + 1) * size));
    parts.push({ partNumber: i + 1, etag: answer.headers.get('etag') });
  }
  await call('POST', actions.upload?.href as string, { oid: file.sha256, parts });
};

const byXet: Door = async (file) => {
  const from = join(folder, file.sha256);
  await writeFile(from, file.bytes);
  const options = { endpoint: hub.url, token: hub.adminToken, home: join(folder, 'hf') };
  const { code, stderr } = await hf(['upload', REPO, from, `${file.sha256}.bin`], options);
  await rm(from);
  if (code !== 0) throw new Error(stderr);
};

/** Where a seed kills: at a point, the n-th time it is passed, or at a moment. */
const POINTS: Record<string, readonly [door: 'tus' | 'basic' | 'multipart' | 'xet', times: number]> = {
  'upload.mid': ['tus', 3],
  'tus.piece-stored': ['tus', 3],
  'tus.piece-recorded': ['tus', 3],
  'upload.before-verify': ['tus', 2],
  'object.verified': ['basic', 2],
  'link.committed': ['basic', 2],
  'upload.part': ['multipart', 2],
  'xet.xorb-stored': ['xet', 1],
  'xet.shard-verified': ['xet', 1],
};

const fileOf = (sizeBytes: number): File => {
  const bytes = randomBytes(sizeBytes);
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
};

/** As a person does it: again until it is taken. */
const insist = (door: Door, file: File) => eventually(() => door(file), 60_000);

/** One seed: uploads by several doors at once, in which the server is killed and comes back. */
async function runSeed(seed: number): Promise<File[]> {
  const random = seededRandom(seed);
  const names = Object.keys(POINTS);
  const point = seed % 2 ? (names[((seed - 1) / 2) % names.length] as string) : null;
  const [needed, times] = (point && POINTS[point]) || ['tus', 0];
  if (point) {
    await hub.kill();
    await hub.restart({ LARDER_FAILPOINTS: `${point}=exit@${1 + Math.floor(random() * times)}` });
  }
  const work: [Door, File][] = [
    [byTus, fileOf(Math.floor(random() * 40 * MIB))],
    [byTus, fileOf(Math.floor(random() * 100_000))],
    [byBasic, fileOf(Math.floor(random() * 8 * MIB))],
  ];
  if (needed === 'multipart' || random() < 0.1) work.push([byMultipart, fileOf(65 * MIB)]);
  if (needed === 'xet' || random() < 0.1) work.push([byXet, fileOf(Math.floor(11 * MIB + random() * MIB))]);
  const acked: File[] = [];
  const all = Promise.all(
    work.map(async ([door, file]) => {
      await insist(door, file);
      acked.push(file);
    }),
  );
  all.catch(() => {});
  // A point that is not passed is made up for by the moment.
  const untilMs = Date.now() + (point ? 6_000 : random() * 900);
  while (Date.now() < untilMs && hub.serverPid !== null && acked.length < work.length) await pause(10);
  await hub.kill();
  await hub.restart({ LARDER_FAILPOINTS: '' });
  await all;
  return acked;
}

/** Nothing that was acknowledged may be missing or other than it was sent. */
async function requireWhole(file: File): Promise<void> {
  const { actions } = await batch('download', file, ['basic']);
  const answer = await fetch(actions?.download?.href ?? '', {
    headers: { authorization: `Bearer ${hub.adminToken}` },
  });
  const got = createHash('sha256')
    .update(Buffer.from(await answer.arrayBuffer()))
    .digest('hex');
  if (got !== file.sha256) throw new Error(`${file.sha256} came back as ${got}`);
}

test(`seeds ${SEEDS[0]} to ${SEEDS.at(-1)}: what an upload by any door acknowledged is there, whole, whenever the server is killed`, {
  timeout: SEEDS.length * 60_000,
}, async () => {
  await mkdir(join(folder, 'hf'), { recursive: true });
  for (const [n, seed] of SEEDS.entries()) {
    const startedMs = Date.now();
    const acked = await runSeed(seed).catch((error) => {
      throw new Error(`seed ${seed}`, { cause: error });
    });
    for (const file of acked) await requireWhole(file);
    if ((n + 1) % CHECK_EVERY === 0 || n === SEEDS.length - 1)
      expect(fragile.check(), `seed ${seed}`).toBeNull();
    process.stdout.write(
      `seed ${seed}: ${acked.length} files, ${((Date.now() - startedMs) / 1000).toFixed(1)} s\n`,
    );
  }
});

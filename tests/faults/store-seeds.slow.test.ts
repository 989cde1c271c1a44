import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import { checkFiles } from '#lib/repos/check/check-files.ts';
import { checkRepos } from '#lib/repos/check/check-repos.ts';
import { sweepUploads } from '#lib/repos/files/lfs/sweep-uploads.ts';
import { sweepStore } from '#lib/repos/files/sweep-store.ts';
import { sweepTusUploads } from '#lib/repos/files/tus/sweep-tus-uploads.ts';
import { routes } from '#lib/wire/routes.ts';
import { startRgw, type TestS3 } from '../support/rgw.ts';
import { type S3Fault, type S3Faults, startS3Faults } from '../support/s3-faults.ts';
import { startWire, type TestWire } from '../support/wire.ts';
import { buildXorb, contentOf, sha256Of } from '../xet/build.ts';
import { seededRandom } from './nemesis.ts';
import { byBasic, byMultipart, byTus, byXet } from './store-doors.ts';

const SEEDS = Number(process.env.LARDER_STORE_SEEDS ?? 30);
const STEPS = 9;
/** Every so many seeds bring a file that LFS sends in parts. */
const LARGE_EVERY = 10;
const token = `hf_${'a'.repeat(40)}`;
const MIB = 2 ** 20;
const DAY_MS = 24 * 3600_000;

let s3: TestS3;
let faults: S3Faults;
let wire: TestWire;
/** Files that were acknowledged, of all seeds, by the door that they came by. */
const landed = { xet: 0, basic: 0, tus: 0, multipart: 0 };

beforeAll(async () => {
  s3 = await startRgw();
  faults = await startS3Faults(s3.endpoint);
  wire = await startWire(routes, {
    S3_ENDPOINT: faults.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_BUCKET: 'seeds',
    S3_DIRECT: 'false',
    LARDER_ADMIN_PASSWORD: 'correct horse battery',
    LARDER_ADMIN_TOKEN: token,
    LOG_LEVEL: 'silent',
  });
  await bootstrap(wire.app);
});
afterAll(async () => {
  await wire?.close();
  await faults?.close();
  await s3?.stop();
});

const FAULTS: readonly S3Fault[] = [
  { kind: 'answer', status: 503, code: 'SlowDown' },
  { kind: 'answer', status: 500, code: 'InternalError' },
  { kind: 'answer', status: 404, code: 'NoSuchKey' },
  { kind: 'done-but', status: 500, code: 'InternalError' },
  { kind: 'done-but-200', code: 'InternalError' },
  { kind: 'lost' },
  { kind: 'stall', ms: 30 },
  { kind: 'truncate', bytes: 1_000 },
  { kind: 'short', bytes: 1_000 },
  { kind: 'corrupt' },
];

const ask = (path: string, init: RequestInit = {}) =>
  fetch(path.startsWith('http') ? path : wire.url + path, {
    ...init,
    headers: { authorization: `Bearer ${token}`, ...init.headers },
  });

async function commit(repo: string, path: string, bytes: Buffer): Promise<void> {
  const lines = [
    { key: 'header', value: { summary: path } },
    { key: 'lfsFile', value: { path, algo: 'sha256', oid: sha256Of(bytes), size: bytes.length } },
  ];
  const answer = await ask(`/api/models/${repo}/commit/main`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  });
  if (!answer.ok) throw new Error(`commit ${answer.status}`);
}

const sha = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** Reads a file; wrong bytes behind a 200 and a clean end are the one thing that may never be. */
async function read(repo: string, path: string, expected: string): Promise<boolean> {
  const answer = await ask(`/${repo}/resolve/main/${path}`).catch(() => null);
  const bytes = await answer?.arrayBuffer().catch(() => null);
  if (!answer?.ok || !bytes) return false;
  expect(sha(new Uint8Array(bytes)), `${repo} ${path}`).toBe(expected);
  return true;
}

type Door = keyof typeof landed;
interface Brought {
  readonly by: Door;
  readonly content: Buffer;
}

/** Brings new bytes in by some door, and returns them: small ones whole or by Xet, some MiB by tus in parts. */
async function upload(repo: string, random: () => number): Promise<Brought> {
  const small = () => randomBytes(2_000 + Math.floor(random() * 60_000));
  const dice = random();
  if (dice < 0.35) {
    const chunk = small();
    await byXet(ask, repo, [chunk]);
    return { by: 'xet', content: contentOf([{ xorb: buildXorb([chunk]), start: 0, end: 1 }]) };
  }
  const content = dice < 0.7 ? small() : randomBytes(6 * MIB + Math.floor(random() * 2 * MIB));
  if (dice < 0.7) await byBasic(ask, repo, content);
  else await byTus(ask, repo, content, dice > 0.95);
  return { by: dice < 0.7 ? 'basic' : 'tus', content };
}

async function uploadLarge(repo: string): Promise<Brought> {
  const content = randomBytes(65 * MIB);
  await byMultipart(ask, repo, content);
  return { by: 'multipart', content };
}

/** One run: uploads and downloads by several doors while single requests of the store misbehave. */
async function run(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const repo = `admin/s${seed}`;
  await ask('/api/repos/create', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: `s${seed}` }),
  });
  const acked = new Map<string, string>();
  faults.rule = () => (random() < 0.25 ? (FAULTS[Math.floor(random() * FAULTS.length)] ?? null) : null);
  const step = async (n: number, bring: () => Promise<Brought>) => {
    const path = `f${n}.bin`;
    try {
      const { by, content } = await bring();
      await commit(repo, path, content);
      acked.set(path, sha(content));
      landed[by] += 1;
    } catch {
      // refused or broken: nothing was promised
    }
    for (const [known, expected] of acked) if (random() < 0.3) await read(repo, known, expected);
  };
  const some = (n: number) => step(n, () => upload(repo, random));
  for (let n = 0; n < STEPS; n += 3) await Promise.all([some(n), some(n + 1), some(n + 2)]);
  if (seed % LARGE_EVERY === 0) await step(STEPS, () => uploadLarge(repo));
  faults.rule = () => null;
  for (const [path, expected] of acked)
    expect(await read(repo, path, expected), `seed ${seed}: ${path}`).toBe(true);
}

/** Multipart uploads that are open at the store when all that was given up was swept. */
async function leftOpen(): Promise<number> {
  const later = { ...wire.app, clock: { ...wire.app.clock, now: () => Date.now() + 60 * DAY_MS } };
  await sweepTusUploads(later);
  await sweepUploads(later);
  await sweepStore(later);
  let count = 0;
  for await (const _ of wire.app.store.listMultipart()) count += 1;
  return count;
}

test(`F26 to F28: ${SEEDS} seeds of a store that lies: what was acknowledged can be read, nothing wrong is ever served, check --full is clean`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) await run(seed);
  const found: string[] = [];
  for await (const finding of checkRepos(wire.app, { repos: 0, objects: 0 })) found.push(String(finding));
  for await (const finding of checkFiles(wire.app, { bytes: { share: 1 } })) found.push(String(finding));
  expect(found).toEqual([]);
  expect(await leftOpen()).toBe(0);
  process.stdout.write(`acknowledged files: ${JSON.stringify(landed)}\n`);
  expect(Object.values(landed).every((count) => count > 0)).toBe(true);
}, 600_000);

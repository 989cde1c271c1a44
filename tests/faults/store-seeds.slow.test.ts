import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import { checkFiles } from '#lib/repos/check/check-files.ts';
import { checkRepos } from '#lib/repos/check/check-repos.ts';
import { routes } from '#lib/wire/routes.ts';
import { startRgw, type TestS3 } from '../support/rgw.ts';
import { type S3Fault, type S3Faults, startS3Faults } from '../support/s3-faults.ts';
import { startWire, type TestWire } from '../support/wire.ts';
import { buildShard, buildXorb, contentOf, sha256Of } from '../xet/build.ts';
import { seededRandom } from './nemesis.ts';

const SEEDS = Number(process.env.LARDER_STORE_SEEDS ?? 30);
const STEPS = 9;
const token = `hf_${'a'.repeat(40)}`;
const type = 'application/vnd.git-lfs+json';

let s3: TestS3;
let faults: S3Faults;
let wire: TestWire;

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
  fetch(wire.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init.headers } });

async function batch(repo: string, bytes: Buffer, transfers: string[]) {
  const objects = [{ oid: sha256Of(bytes), size: bytes.length }];
  const body = JSON.stringify({ operation: 'upload', transfers, objects });
  const answer = await ask(`/${repo}.git/info/lfs/objects/batch`, {
    method: 'POST',
    headers: { 'content-type': type, accept: type },
    body,
  });
  const { objects: out } = (await answer.json()) as {
    objects: { actions?: { upload: { href: string; header?: Record<string, string> } } }[];
  };
  return out[0]?.actions?.upload ?? null;
}

async function basic(repo: string, bytes: Buffer): Promise<void> {
  const action = await batch(repo, bytes, ['basic']);
  if (action === null) return;
  const put = await fetch(action.href, { method: 'PUT', body: new Uint8Array(bytes) });
  if (!put.ok) throw new Error(`put ${put.status}`);
}

async function xet(repo: string, chunks: readonly Buffer[]): Promise<void> {
  const xorb = buildXorb(chunks);
  const grant = await ask(`/api/models/${repo}/xet-write-token/main`);
  const { casUrl, accessToken } = (await grant.json()) as { casUrl: string; accessToken: string };
  const post = async (path: string, body: Buffer) => {
    const headers = { authorization: `Bearer ${accessToken}` };
    const answer = await fetch(casUrl + path, { method: 'POST', headers, body: new Uint8Array(body) });
    if (!answer.ok) throw new Error(`${path} ${answer.status}`);
    await answer.arrayBuffer();
  };
  await post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
  await post('/v1/shards', buildShard([[{ xorb, start: 0, end: chunks.length }]], [xorb]));
}

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
  const step = async (n: number) => {
    const bytes = randomBytes(2_000 + Math.floor(random() * 60_000));
    const path = `f${n}.bin`;
    const isXet = random() < 0.5;
    const content = isXet ? contentOf([{ xorb: buildXorb([bytes]), start: 0, end: 1 }]) : bytes;
    try {
      await (isXet ? xet(repo, [bytes]) : basic(repo, bytes));
      await commit(repo, path, content);
      acked.set(path, sha(content));
    } catch {
      // refused or broken: nothing was promised
    }
    for (const [known, expected] of acked) if (random() < 0.3) await read(repo, known, expected);
  };
  for (let n = 0; n < STEPS; n += 3) await Promise.all([step(n), step(n + 1), step(n + 2)]);
  faults.rule = () => null;
  for (const [path, expected] of acked)
    expect(await read(repo, path, expected), `seed ${seed}: ${path}`).toBe(true);
}

test(`F26 to F28: ${SEEDS} seeds of a store that lies: what was acknowledged can be read, nothing wrong is ever served, check --full is clean`, async () => {
  for (let seed = 1; seed <= SEEDS; seed++) await run(seed);
  const found: string[] = [];
  for await (const finding of checkRepos(wire.app, { repos: 0, objects: 0 })) found.push(String(finding));
  for await (const finding of checkFiles(wire.app, { bytes: { share: 1 } })) found.push(String(finding));
  expect(found).toEqual([]);
}, 600_000);

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type FaultProxy, startFaultProxy } from '#tests/support/fault-proxy.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { startRgw, type TestS3 } from '#tests/support/rgw.ts';
import { sha256Of } from '#tests/xet/build.ts';
import { eventually } from './nemesis.ts';
import { byBasic } from './store-doors.ts';

let s3: TestS3;
let proxy: FaultProxy;
let hub: Hub | undefined;
beforeAll(async () => {
  s3 = await startRgw();
  proxy = await startFaultProxy(s3.endpoint);
});
afterAll(async () => {
  await hub?.stop();
  await proxy?.close();
  await s3?.stop();
});

const envOf = (more: Record<string, string> = {}) => ({
  S3_ENDPOINT: proxy.url,
  S3_ACCESS_KEY_ID: s3.accessKeyId,
  S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
  S3_BUCKET: 'away',
  S3_DIRECT: 'false',
  ...more,
});

const ask = (path: string, init: RequestInit = {}) =>
  fetch(path.startsWith('http') ? path : (hub as Hub).url + path, {
    ...init,
    headers: { authorization: `Bearer ${(hub as Hub).adminToken}`, ...init.headers },
  });
const statusOf = async (path: string, init?: RequestInit) => (await ask(path, init)).status;
async function commit(line: unknown): Promise<number> {
  const body = [{ key: 'header', value: { summary: 'x' } }, line].map((l) => JSON.stringify(l)).join('\n');
  const headers = { 'content-type': 'application/x-ndjson' };
  return statusOf('/api/models/admin/r/commit/main', { method: 'POST', headers, body });
}
const ready = async () => {
  const answer = await ask('/readyz');
  return { status: answer.status, ...((await answer.json()) as { ready: boolean; why?: string }) };
};
const untilReady = () => eventually(async () => expect((await ready()).status).toBe(200));

test('a hub that is started while S3 is away serves pages and metadata, says why it is not ready, and is ready when S3 is back', async () => {
  proxy.down();
  hub = await startHub({ env: envOf(), worker: true });
  expect(hub.logs()).toContain('the object store is away');
  expect(await ready()).toEqual({
    status: 503,
    ready: false,
    why: expect.stringMatching(/^the object store does not answer \(\w+\)$/),
  });
  const json = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'r' });
  expect(await statusOf('/api/repos/create', { method: 'POST', headers: json, body })).toBe(200);
  const content = Buffer.from('a text').toString('base64');
  expect(await commit({ key: 'file', value: { path: 'a.txt', encoding: 'base64', content } })).toBe(200);
  expect(await statusOf('/admin/r/resolve/main/a.txt')).toBe(200);
  const bytes = randomBytes(50_000);
  await expect(byBasic(ask, 'admin/r', bytes)).rejects.toThrow('put: 503');

  proxy.heal();
  await untilReady();
  await byBasic(ask, 'admin/r', bytes);
  const lfs = { path: 'm.bin', algo: 'sha256', oid: sha256Of(bytes), size: bytes.length };
  expect(await commit({ key: 'lfsFile', value: lfs })).toBe(200);
});

test('a hub that is restarted while S3 is away: what needs no bytes answers, what does is 503 with Retry-After until it is back', async () => {
  await (hub as Hub).kill();
  proxy.down();
  await (hub as Hub).restart();
  expect(await statusOf('/admin/r/resolve/main/m.bin', { method: 'HEAD' })).toBe(200);
  expect(await statusOf('/api/models/admin/r/tree/main')).toBe(200);
  const refused = await ask('/admin/r/resolve/main/m.bin');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '2']);
  proxy.heal();
  await untilReady();
  expect(await statusOf('/admin/r/resolve/main/m.bin')).toBe(200);
  proxy.down();
  await eventually(async () => expect((await ready()).status).toBe(503));
  expect(await statusOf('/healthz')).toBe(200);
  proxy.heal();
  await untilReady();
});

test.each([
  ['keys that the store refuses', { S3_SECRET_ACCESS_KEY: 'wrong' }, /bucket "away": SignatureDoesNotMatch/],
  ['a bucket that cannot be', { S3_BUCKET: 'no_such:bucket' }, /bucket "no_such:bucket": \w+/],
])('%s end the program at its start, with the reason', async (_, env, reason) => {
  await expect(startHub({ env: envOf(env) })).rejects.toThrow(reason);
});

test('keys that turn out to be wrong when S3 is back are said in the log and by /readyz', async () => {
  proxy.down();
  const wrong = await startHub({ env: envOf({ S3_SECRET_ACCESS_KEY: 'wrong' }) });
  proxy.heal();
  await eventually(async () => {
    const answer = (await (await fetch(`${wrong.url}/readyz`)).json()) as { why?: string };
    expect(answer.why).toMatch(/^the object store refuses the hub/);
  });
  expect(wrong.logs()).toMatch(/bucket \\"away\\": SignatureDoesNotMatch/);
  await wrong.stop();
});

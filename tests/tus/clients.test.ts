import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { sendByTus } from './js-client.ts';
import { fileOf, startTusHub, type TusHub, tokenOf } from './tus-hub.ts';

const MIB = 2 ** 20;
let one: TusHub;
let two: TusHub;
beforeAll(async () => {
  one = await startTusHub();
  two = await startTusHub({ DATABASE_URL: one.databaseUrl, LARDER_DATA: one.dataDir });
});
afterAll(async () => {
  await two?.close();
  await one?.close();
});

const endpointOf = (hub: TusHub) => `${hub.url}/api/models/alice/one/tus`;
const offsetOf = async (url: string) => Number((await one.tus('HEAD', url)).headers.get('upload-offset'));

describe('tus-js-client', () => {
  test('aborted and resumed, also by another process, it sends the rest and the file is whole', async () => {
    const { bytes, sha256 } = fileOf(60 * MIB);
    const first = sendByTus(endpointOf(one), tokenOf('alice'), bytes, { metadata: { sha256 } });
    while (first.progress() < 30 * MIB) await sleep(5);
    await first.upload.abort();
    const url = first.upload.url as string;
    const atOther = url.replace(one.url, two.url);
    const second = sendByTus(endpointOf(two), tokenOf('alice'), bytes, { uploadUrl: atOther });
    await second.done;
    expect((await one.tus('HEAD', url)).headers.get('larder-sha256')).toBe(sha256);
    expect((await one.read('alice/one', sha256))?.equals(bytes)).toBe(true);
  });

  test('in small chunks, each to another process, the file is whole', async () => {
    const { bytes, sha256 } = fileOf(9 * MIB + 3);
    const url = await one.create('alice/one', { path: 'm.bin', revision: 'main', sha256 }, bytes.length);
    for (let at = 0, n = 0; at < bytes.length; n++) {
      const hub = n % 2 ? one : two;
      const answer = await hub.patch(url.replace(one.url, hub.url), at, bytes.subarray(at, at + 2 * MIB));
      expect(answer.status).toBe(204);
      at = Number(answer.headers.get('upload-offset'));
    }
    expect((await one.read('alice/one', sha256))?.equals(bytes)).toBe(true);
  });

  test('a writer whose connection hangs is taken over when it shows no progress; it can do no harm then', async () => {
    const { bytes, sha256 } = fileOf(20 * MIB);
    const url = await one.create('alice/one', { path: 'm.bin', revision: 'main', sha256 }, bytes.length);
    let more: ReadableStreamDefaultController<Uint8Array> | undefined;
    const hanging = new ReadableStream<Uint8Array>({
      start(to) {
        more = to;
        to.enqueue(new Uint8Array(MIB));
      },
    });
    const stuck = one.patch(url, 0, hanging).then(
      (answer) => answer.status,
      () => 0,
    );
    await sleep(300);
    const answer = await two.patch(url.replace(one.url, two.url), 0, bytes);
    expect([answer.status, answer.headers.get('larder-sha256')]).toEqual([204, sha256]);
    more?.enqueue(new Uint8Array(10 * MIB));
    more?.close();
    expect([0, 409, 423, 410]).toContain(await stuck);
    expect((await one.read('alice/one', sha256))?.equals(bytes)).toBe(true);
    expect(await offsetOf(url)).toBe(bytes.length);
  });

  test('of many completions at once, on two processes, each gives the one hash and one file is linked', async () => {
    const { bytes, sha256 } = fileOf(17 * MIB);
    const url = await one.create('alice/one', { path: 'm.bin', revision: 'main' }, bytes.length);
    await one.patch(url, 0, bytes.subarray(0, 16 * MIB));
    await one.patch(url, 16 * MIB, bytes.subarray(16 * MIB));
    const asked = await Promise.all(
      [one, two, one, two, one].map((hub) => hub.tus('HEAD', url.replace(one.url, hub.url))),
    );
    expect(asked.map((answer) => answer.headers.get('larder-sha256'))).toEqual(Array(5).fill(sha256));
  });
});

describe('a server', () => {
  let hub: Hub;
  beforeAll(async () => {
    hub = await startHub({ env: { LOG_LEVEL: 'fatal' } });
    const headers = { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' };
    await fetch(`${hub.url}/api/repos/create`, { method: 'POST', headers, body: '{"name":"r"}' });
  });
  afterAll(() => hub?.stop());
  const residentMb = () =>
    Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${hub.serverPid}/status`, 'utf8'))?.[1]) / 1000;

  test('takes twenty uploads at once with memory that does not depend on their size', {
    timeout: 60_000,
  }, async () => {
    const { bytes } = fileOf(30 * MIB);
    const send = () => sendByTus(`${hub.url}/api/models/admin/r/tus`, hub.adminToken, bytes).done;
    await send();
    const idle = residentMb();
    let peak = idle;
    const timer = setInterval(() => {
      peak = Math.max(peak, residentMb());
    }, 20);
    await Promise.all(Array.from({ length: 20 }, send));
    clearInterval(timer);
    process.stdout.write(`20 uploads of 30 MiB: ${idle.toFixed(0)} MB idle, ${peak.toFixed(0)} MB at most\n`);
    expect(peak - idle).toBeLessThan(64 + 20 * 6); // 600 MiB came
  });
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildXorb, contentOf, sha256Of } from '../xet/build.ts';
import { type CasHub, startCasHub, TOKENS } from '../xet/cas-hub.ts';

const MINUTE = 60_000;

let hub: CasHub;
/** How far the clock of the process that answers is off: the processes of a hub share nothing but database and store. */
let offMs = 0;
let number = 0;

beforeAll(async () => {
  hub = await startCasHub({ env: { LOG_LEVEL: 'fatal' }, clock: { now: () => Date.now() + offMs } });
});
afterAll(() => hub?.close());
beforeEach(async () => {
  offMs = 0;
  await hub.createRepo('alice', `r${++number}`);
});
const repo = () => `alice/r${number}`;

test.each([
  [-10, 10],
  [10, -10],
] as const)(
  'F30: what a process whose clock is %i min off gives out works at one that is %i min off: Xet tokens, links',
  async (first, second) => {
    const xorb = buildXorb([randomBytes(10_000)]);
    const terms = [{ xorb, start: 0, end: 1 }];
    const bytes = randomBytes(5_000);
    offMs = first * MINUTE;
    const cas = await hub.cas(repo(), TOKENS.alice);
    const type = 'application/vnd.git-lfs+json';
    const batch = await hub.ask(`/${repo()}.git/info/lfs/objects/batch`, TOKENS.alice, {
      method: 'POST',
      headers: { 'content-type': type, accept: type },
      body: JSON.stringify({
        operation: 'upload',
        transfers: ['basic'],
        objects: [{ oid: sha256Of(bytes), size: bytes.length }],
      }),
    });
    const answer = (await batch.json()) as { objects: { actions: { upload: { href: string } } }[] };
    offMs = second * MINUTE;
    expect((await cas.upload(terms)).status).toBe(200);
    const put = await fetch(answer.objects[0]?.actions.upload.href as string, {
      method: 'PUT',
      body: new Uint8Array(bytes),
    });
    expect(put.status).toBe(200);
    for (const [path, content] of [
      ['x.bin', contentOf(terms)],
      ['w.bin', bytes],
    ] as const) {
      const lines = [
        { key: 'header', value: { summary: 'x' } },
        { key: 'lfsFile', value: { path, algo: 'sha256', oid: sha256Of(content), size: content.length } },
      ];
      const commit = await hub.ask(`/api/models/${repo()}/commit/main`, TOKENS.alice, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: lines.map((line) => JSON.stringify(line)).join('\n'),
      });
      expect(commit.status).toBe(200);
      offMs = -offMs;
      const read = await hub.ask(`/${repo()}/resolve/main/${path}`, TOKENS.alice);
      expect(Buffer.from(await read.arrayBuffer()).equals(content)).toBe(true);
    }
  },
);

test('F30: rights that were revoked end within ten seconds also when the clock was just set back by an hour', async () => {
  const xorb = buildXorb([randomBytes(10_000)]);
  const cas = await hub.cas(repo(), TOKENS.bob, 'read').catch(() => null);
  expect(cas).not.toBeNull();
  expect((await hub.ask('/api/whoami-v2', TOKENS.bob)).status).toBe(200);
  const path = `/v1/reconstructions/${xorb.hash}`;
  expect((await cas?.get(path))?.status).toBe(404);
  offMs = -60 * MINUTE;
  await hub.app.db.query(`UPDATE access_token SET revoked_at = now() WHERE user_id =
    (SELECT id FROM namespace WHERE name_key = 'bob')`);
  offMs += 10_500;
  expect((await hub.ask('/api/whoami-v2', TOKENS.bob)).status).toBe(401);
  expect((await cas?.get(path))?.status).toBe(401);
});

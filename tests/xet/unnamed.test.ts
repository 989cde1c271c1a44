import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hf } from '#tests/clients/python.ts';
import { type BuiltXorb, buildShard, buildXorb } from './build.ts';
import { type CasHub, startCasHub, TOKENS } from './cas-hub.ts';

const MB = 1_000_000;
/** What a small xorb counts. */
const LEAST = 2 ** 20;
const QUOTA = 60 * MB;
const ALLOWED = 2 * LEAST;

let hub: CasHub;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'larder-unnamed-'));
  hub = await startCasHub({
    env: {
      LARDER_QUOTA_USER_BYTES: String(QUOTA),
      LARDER_GUEST_UPLOAD_BYTES: String(LEAST),
      LARDER_UNNAMED_BYTES: String(ALLOWED),
    },
  });
  for (const name of ['open', 'other']) await hub.createRepo('alice', name);
});
afterAll(async () => {
  await hub?.close();
  await rm(home, { recursive: true, force: true });
});
/** What was uploaded so far counts no more. */
beforeEach(() => hub.app.db.query('UPDATE xorb SET unnamed_by = NULL'));

const small = (): BuiltXorb => buildXorb([randomBytes(10_000)]);
type Post = (path: string, body: Buffer) => Promise<Response>;
const send = (post: Post, xorb: BuiltXorb) => post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
const register = (post: Post, xorb: BuiltXorb, chunks: number) =>
  post('/v1/shards', buildShard([[{ xorb, start: 0, end: chunks }]], [xorb]));
async function guestPost(): Promise<Post> {
  const answer = await hub.ask('/api/models/alice/open/xet-write-token/None?create_pr=1', TOKENS.bob);
  const { casUrl, accessToken } = (await answer.json()) as { casUrl: string; accessToken: string };
  const headers = { authorization: `Bearer ${accessToken}` };
  return (path, body) => fetch(casUrl + path, { method: 'POST', body: new Uint8Array(body), headers });
}
/** As if alice had uploaded so much in an interrupted session. */
async function leave(post: Post, bytes: number): Promise<BuiltXorb> {
  const xorb = small();
  expect((await send(post, xorb)).status).toBe(200);
  await hub.app.db.query(
    'UPDATE xorb SET disk_bytes = $1 WHERE hash = (SELECT hash FROM xorb ORDER BY id DESC LIMIT 1)',
    [bytes],
  );
  return xorb;
}

describe('chunks that no file names', () => {
  test('are taken up to what fits into the quota and some more, whatever repo they are for; then 413 says what to do', async () => {
    const { post } = await hub.cas('alice/open', TOKENS.alice);
    const { post: elsewhere } = await hub.cas('alice/other', TOKENS.alice);
    await leave(post, QUOTA + ALLOWED - LEAST + 1);
    const refused = small();
    const answer = await send(elsewhere, refused);
    expect(answer.status).toBe(413);
    expect(await answer.text()).toMatch(/belongs to no file, .*interrupted.*deleted 22 days after/);
  });

  test('count no more when a file uses an eighth of them, and one chunk of many is not enough', async () => {
    const { post } = await hub.cas('alice/open', TOKENS.alice);
    const xorb = buildXorb(Array.from({ length: 20 }, () => randomBytes(10_000)));
    expect((await send(post, xorb)).status).toBe(200);
    const counted = async () =>
      (await hub.app.db.query('SELECT 1 FROM xorb WHERE unnamed_by IS NOT NULL')).rowCount;
    expect((await register(post, xorb, 1)).status).toBe(200);
    expect(await counted()).toBe(1);
    expect((await register(post, xorb, 4)).status).toBe(200);
    expect(await counted()).toBe(0);
    expect((await send(post, xorb)).status).toBe(200); // sent again it is known, and costs nothing
    expect(await counted()).toBe(0);
  });

  test('of a guest are bounded by what guests may bring', async () => {
    const post = await guestPost();
    for (let n = 0; n < 3; n++) expect((await send(post, small())).status).toBe(200);
    expect((await send(post, small())).status).toBe(413);
  });

  test('a shard that is refused for its size leaves no log in the store, however often it is sent', async () => {
    const post = await guestPost();
    const xorb = buildXorb(Array.from({ length: 11 }, () => randomBytes(100_000)));
    expect((await send(post, xorb)).status).toBe(200);
    const logs = async () => {
      const keys: string[] = [];
      for await (const { key } of hub.app.store.list('shard/')) keys.push(key);
      return keys;
    };
    const before = await logs();
    for (let n = 0; n < 2; n++) expect((await register(post, xorb, 11)).status).toBe(403);
    expect(await logs()).toEqual(before);
  });
});

describe('hf upload', () => {
  const upload = async (bytes: number) => {
    const from = join(home, 'f.bin');
    await writeFile(from, randomBytes(bytes));
    return hf(['upload', 'alice/open', from, 'f.bin'], { endpoint: hub.url, token: TOKENS.alice, home });
  };

  test('of a file that fills most of the quota is not hindered, though no file names its chunks until the end', async () => {
    const { code, stderr } = await upload(40 * MB);
    expect(code, stderr).toBe(0);
    expect((await hub.app.db.query('SELECT 1 FROM xorb WHERE unnamed_by IS NOT NULL')).rowCount).toBe(0);
  });

  test('that is refused ends at once and says why', async () => {
    const { post } = await hub.cas('alice/open', TOKENS.alice);
    await leave(post, QUOTA + ALLOWED);
    const { code, stderr } = await upload(11 * MB);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(/You have uploaded .* that belongs to no file, by uploads that were interrupted/);
  });
});

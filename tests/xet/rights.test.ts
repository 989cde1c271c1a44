import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BuiltTerm, buildShard, buildXorb, contentOf, fileHashOf, sha256Of } from './build.ts';
import { type Cas, type CasHub, leftovers, startCasHub, TOKENS } from './cas-hub.ts';

let hub: CasHub;
let nowMs = Date.now();
let alice: Cas;
let bob: Cas;
let terms: BuiltTerm[];

const MINUTE = 60_000;

beforeAll(async () => {
  hub = await startCasHub({ clock: { now: () => nowMs } });
  await hub.createRepo('alice', 'secret', true);
  await hub.createRepo('alice', 'open');
  await hub.createRepo('bob', 'own');
  alice = await hub.cas('alice/secret', TOKENS.alice);
  bob = await hub.cas('bob/own', TOKENS.bob);
  terms = [{ xorb: buildXorb([randomBytes(20_000), randomBytes(9000)]), start: 0, end: 2 }];
  expect((await alice.upload(terms)).status).toBe(200);
});
afterAll(() => hub.close());

const tokenPath = (repo: string, scope: string, rev = 'main') =>
  `/api/models/${repo}/xet-${scope}-token/${rev}`;

describe('token routes', () => {
  test.each(['main', 'None', 'refs%2Fpr%2F1', 'a'.repeat(40), 'feat%2Fx'])(
    'the revision %s is accepted, and body and headers say the same',
    async (rev) => {
      const answer = await hub.ask(tokenPath('alice/secret', 'write', rev), TOKENS.alice);
      const body = (await answer.json()) as { casUrl: string; accessToken: string; exp: number };
      expect(body).toEqual({
        casUrl: answer.headers.get('x-xet-cas-url'),
        accessToken: answer.headers.get('x-xet-access-token'),
        exp: Number(answer.headers.get('x-xet-token-expiration')),
      });
      expect(body.casUrl).toMatch(new RegExp(`^${hub.url}/xet/\\d+-\\d+$`));
      expect(body.exp - nowMs / 1000).toBeGreaterThan(25 * 60);
    },
  );

  test('a route without revision answers too', async () => {
    expect((await hub.ask('/api/models/alice/open/xet-read-token', TOKENS.bob)).status).toBe(200);
  });

  test('each namespace has its own address', () => {
    expect(alice.url).not.toBe(bob.url);
  });

  test.each([
    ['a stranger reads a private repo', 'alice/secret', 'read', TOKENS.bob, 404, 'RepoNotFound'],
    ['a stranger writes a private repo', 'alice/secret', 'write', TOKENS.bob, 404, 'RepoNotFound'],
    ['a repo that does not exist', 'alice/none', 'read', TOKENS.bob, 404, 'RepoNotFound'],
    ['nobody reads a private repo', 'alice/secret', 'read', null, 401, 'RepoNotFound'],
    ['a stranger writes a public repo', 'alice/open', 'write', TOKENS.bob, 403, null],
    ['a read token writes', 'alice/secret', 'write', TOKENS.aliceRead, 403, null],
    ['nobody writes a public repo', 'alice/open', 'write', null, 401, null],
    ['a token that is none', 'alice/open', 'read', 'hf_wrongwrongwrongwrongwrongwrongwrong', 401, null],
  ])('%s: refused', async (_what, repo, scope, token, status, code) => {
    const answer = await hub.ask(tokenPath(repo, scope), token);
    expect([answer.status, answer.headers.get('x-error-code')]).toEqual([status, code]);
  });

  test('spaces are refused in words', async () => {
    const answer = await hub.ask('/api/spaces/alice/open/xet-read-token/main', TOKENS.alice);
    expect(answer.status).toBe(404);
  });
});

describe('knowing a hash is not owning the bytes', () => {
  const reconstruction = () => `/v2/reconstructions/${fileHashOf(terms)}`;

  test('a file of another repo of the same owner cannot be read with this repo’s token', async () => {
    const other = await hub.cas('alice/open', TOKENS.alice);
    expect((await other.get(reconstruction())).status).toBe(404);
    expect((await alice.get(reconstruction())).status).toBe(200);
  });

  test('a file of another namespace cannot be read, and HEAD gives nothing away', async () => {
    expect((await bob.get(reconstruction())).status).toBe(404);
    const head = (cas: Cas, path: string) =>
      fetch(cas.url + path, { method: 'HEAD', headers: { authorization: `Bearer ${cas.token}` } });
    expect((await head(bob, `/v1/files/${fileHashOf(terms)}`)).status).toBe(404);
    expect((await head(bob, `/v1/xorbs/default/${terms[0]?.xorb.hash}`)).status).toBe(404);
    const own = await head(alice, `/v1/files/${fileHashOf(terms)}`);
    expect(own.headers.get('content-length')).toBe(String(contentOf(terms).length));
  });

  test('a shard that refers to a xorb of another namespace is refused, even with all hashes right', async () => {
    const before = await leftovers(hub.app);
    const answer = await bob.post('/v1/shards', buildShard([terms], []));
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain('is not here');
    expect(await leftovers(hub.app)).toEqual(before);
  });

  test('a xorb of another namespace counts as new here', async () => {
    const xorb = terms[0]?.xorb as NonNullable<(typeof terms)[0]>['xorb'];
    const answer = await bob.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
    expect(await answer.json()).toEqual({ was_inserted: true });
  });

  test('a pointer to a file of another repo cannot be committed', async () => {
    const lines = [
      { key: 'header', value: { summary: 'steal' } },
      {
        key: 'lfsFile',
        value: {
          path: 'x.bin',
          algo: 'sha256',
          oid: sha256Of(contentOf(terms)),
          size: contentOf(terms).length,
        },
      },
    ];
    const answer = await hub.ask('/api/models/bob/own/commit/main', TOKENS.bob, {
      method: 'POST',
      headers: { 'content-type': 'application/x-ndjson' },
      body: lines.map((line) => JSON.stringify(line)).join('\n'),
    });
    expect([400, 404, 422]).toContain(answer.status);
  });
});

describe('Xet tokens', () => {
  test('a read token uploads nothing', async () => {
    const reader = await hub.cas('alice/secret', TOKENS.aliceRead, 'read');
    const before = await leftovers(hub.app);
    const xorb = buildXorb([randomBytes(500)]);
    expect((await reader.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body)).status).toBe(403);
    expect((await reader.post('/v1/shards', buildShard([], []))).status).toBe(403);
    expect((await reader.post('/v2/shards', buildShard([], []))).status).toBe(403);
    expect(await leftovers(hub.app)).toEqual(before);
  });

  test('no token, a hub token, a changed token and the token of another address are refused', async () => {
    const path = `/v2/reconstructions/${fileHashOf(terms)}`;
    const ask = async (url: string, authorization?: string) =>
      (await fetch(url + path, authorization === undefined ? {} : { headers: { authorization } })).status;
    expect(await ask(alice.url)).toBe(401);
    expect(await ask(alice.url, `Bearer ${TOKENS.alice}`)).toBe(401);
    expect(await ask(alice.url, `Bearer ${alice.token.slice(0, -3)}AAA`)).toBe(401);
    expect(await ask(alice.url, `Bearer ${bob.token}`)).toBe(401);
    expect(await ask(alice.url.replace(/\d+$/, '7'), `Bearer ${alice.token}`)).toBe(401);
  });

  test('works for ten minutes past its end, since clients take a 401 for final, and no longer', async () => {
    const cas = await hub.cas('alice/secret', TOKENS.alice);
    const started = nowMs;
    const ask = async () => (await cas.get(`/v2/reconstructions/${fileHashOf(terms)}`)).status;
    nowMs = started + 39 * MINUTE;
    expect(await ask()).toBe(200);
    nowMs = started + 41 * MINUTE;
    expect(await ask()).toBe(401);
  });

  test('ends within 10 s of the bump of its domain’s epoch', async () => {
    const cas = await hub.cas('bob/own', TOKENS.bob);
    const [, domain, epoch] = /(\d+)-(\d+)$/.exec(cas.url) ?? [];
    await hub.app.db.query('UPDATE xet_domain SET epoch = epoch + 1 WHERE id = $1', [Number(domain)]);
    nowMs += 11_000;
    expect((await cas.get(`/v2/reconstructions/${fileHashOf(terms)}`)).status).toBe(401);
    const renewed = await hub.cas('bob/own', TOKENS.bob);
    expect(renewed.url.endsWith(`${domain}-${Number(epoch) + 1}`)).toBe(true);
  });

  test('ends within 10 s when the repo is deleted or the access token behind it is revoked', async () => {
    const headers = { 'content-type': 'application/json' };
    await hub.createRepo('alice', 'brief', true);
    const brief = await hub.cas('alice/brief', TOKENS.alice);
    const ask = async (cas: Cas) => (await cas.get(`/v2/reconstructions/${'0'.repeat(64)}`)).status;
    expect(await ask(brief)).toBe(404);
    const body = JSON.stringify({ name: 'brief', organization: 'alice', type: 'model' });
    expect(
      (await hub.ask('/api/repos/delete', TOKENS.alice, { method: 'DELETE', body, headers })).status,
    ).toBe(200);
    nowMs += 11_000;
    expect(await ask(brief)).toBe(401);

    const cas = await hub.cas('alice/secret', TOKENS.alice);
    expect(await ask(cas)).toBe(404);
    await hub.app.db.query(`UPDATE access_token SET revoked_at = now() WHERE name = 'write'`);
    nowMs += 11_000;
    expect(await ask(cas)).toBe(401);
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BuiltTerm, buildShard, buildXorb, contentOf, fileHashOf, sha256Of } from './build.ts';
import { type CasHub, startCasHub, TOKENS } from './cas-hub.ts';

/** Bob may read alice/open and nothing else of hers. */
const LIMIT = 200_000;
let hub: CasHub;
beforeAll(async () => {
  hub = await startCasHub({ env: { LARDER_GUEST_UPLOAD_BYTES: String(LIMIT) } });
  await hub.createRepo('alice', 'open');
  await hub.createRepo('alice', 'secret', true);
});
afterAll(() => hub.close());

const makeTerms = (...sizes: number[]): BuiltTerm[] => [
  { xorb: buildXorb(sizes.map((bytes) => randomBytes(bytes))), start: 0, end: sizes.length },
];
const shaOf = (terms: BuiltTerm[]) => sha256Of(contentOf(terms));
const guestCas = async () => {
  const answer = await hub.ask('/api/models/alice/open/xet-write-token/None?create_pr=1', TOKENS.bob);
  const { casUrl, accessToken } = (await answer.json()) as { casUrl: string; accessToken: string };
  const headers = { authorization: `Bearer ${accessToken}` };
  const post = (path: string, body: Buffer) =>
    fetch(casUrl + path, { method: 'POST', body: new Uint8Array(body), headers });
  return {
    casUrl,
    post,
    async upload(terms: BuiltTerm[], lies?: Parameters<typeof buildShard>[2]) {
      const xorbs = [...new Set(terms.map((term) => term.xorb))];
      for (const xorb of xorbs) await post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
      return post('/v1/shards', buildShard([terms], xorbs, lies));
    },
  };
};
const batch = (repo: string, token: string | null, objects: { oid: string; size: number }[], ref?: string) =>
  hub.ask(`/${repo}.git/info/lfs/objects/batch`, token, {
    method: 'POST',
    headers: { 'content-type': 'application/vnd.git-lfs+json' },
    body: JSON.stringify({ operation: 'upload', objects, ...(ref && { ref: { name: ref } }) }),
  });
const edges = async (sha256: string) =>
  (
    await hub.app.db.query<{ name: string; by: string; domain: number | null }>(
      `SELECT r.name, n.name AS by, x.domain_id AS domain FROM repo_file e JOIN repo r ON r.id = e.repo_id
       JOIN namespace n ON n.id = e.created_by LEFT JOIN xet_file x ON x.id = e.xet_file_id
       WHERE e.sha256 = decode($1, 'hex')`,
      [sha256],
    )
  ).rows;

describe('a guest’s Xet token', () => {
  test('leads to the guest’s own domain, where nothing of the namespace can be named', async () => {
    const alice = await hub.cas('alice/secret', TOKENS.alice);
    const secret = makeTerms(20_000);
    expect((await alice.upload(secret)).status).toBe(200);
    const guest = await guestCas();
    expect(guest.casUrl).not.toBe(alice.url);
    const xorbs = secret.map((term) => term.xorb);
    const stolen = await guest.post('/v1/shards', buildShard([secret], xorbs));
    expect(stolen.status).toBe(400);
    expect((await edges(shaOf(secret))).map((edge) => edge.name)).toEqual(['secret']);
  });

  test('is given for pull requests only, and to nobody who could not open one', async () => {
    const token = (repo: string, rest: string, who: string | null) =>
      hub.ask(`/api/models/${repo}/xet-write-token/${rest}`, who).then((res) => res.status);
    expect(await token('alice/open', 'main?create_pr=1', TOKENS.bob)).toBe(200);
    expect(await token('alice/open', 'main', TOKENS.bob)).toBe(403);
    expect(await token('alice/open', 'refs%2Fpr%2F1', TOKENS.bob)).toBe(403);
    expect(await token('alice/open', 'None?create_pr=1', null)).toBe(401);
    expect(await token('alice/open', 'None?create_pr=1', TOKENS.aliceRead)).toBe(403);
    expect(await token('alice/secret', 'None?create_pr=1', TOKENS.bob)).toBe(404);
  });

  test('brings a file that the repo then reads through its own address', async () => {
    const terms = makeTerms(10_000);
    expect((await (await guestCas()).upload(terms)).status).toBe(200);
    const reader = await hub.cas('alice/open', TOKENS.bob, 'read');
    const answer = await reader.get(`/v1/reconstructions/${fileHashOf(terms)}`);
    expect(answer.status).toBe(200);
    expect(await edges(shaOf(terms))).toMatchObject([{ name: 'open', by: 'bob' }]);
  });

  test('never takes the place of a file that others linked, however it lies', async () => {
    const mine = makeTerms(15_000);
    const sha256 = shaOf(mine);
    const alice = await hub.cas('alice/open', TOKENS.alice);
    expect((await alice.upload(mine)).status).toBe(200);
    await hub.app.db.query(
      `UPDATE xet_file SET sha256_state = 'unverified' WHERE sha256 = decode($1, 'hex')`,
      [sha256],
    );
    const [before] = await edges(sha256);
    const again = await (await guestCas()).upload(mine);
    expect(again.status).toBe(200);
    expect(await edges(sha256)).toEqual([before]);
  });

  test('and a batch of LFS stop at the limit of bytes for guests, the owner does not', async () => {
    const big = makeTerms(LIMIT / 2, LIMIT / 2);
    const refused = await (await guestCas()).upload(big);
    expect(refused.status).toBe(403);
    expect(await edges(shaOf(big))).toEqual([]);
    const object = { oid: createHash('sha256').update('x').digest('hex'), size: LIMIT };
    expect((await batch('alice/open', TOKENS.bob, [object])).status).toBe(403);
    expect((await batch('alice/open', TOKENS.bob, [{ ...object, size: 1 }])).status).toBe(200);
    expect((await batch('alice/open', TOKENS.bob, [{ ...object, size: 1 }], 'refs/heads/main')).status).toBe(
      403,
    );
    expect((await batch('alice/open', TOKENS.alice, [object])).status).toBe(200);
    expect((await batch('alice/secret', TOKENS.bob, [object])).status).toBe(404);
  });

  test('LFS links made before the limit was reached do not get past it', async () => {
    const files = Array.from({ length: 4 }, () => randomBytes(60_000)).map((bytes) => ({
      bytes,
      oid: createHash('sha256').update(bytes).digest('hex'),
      size: bytes.length,
    }));
    const links: string[] = [];
    for (const { oid, size } of files) {
      const answer = await batch('alice/open', TOKENS.bob, [{ oid, size }]);
      const body = (await answer.json()) as { objects: { actions: { upload: { href: string } } }[] };
      links.push(body.objects[0]?.actions.upload.href ?? '');
    }
    const statuses = await Promise.all(
      files.map(({ bytes }, i) =>
        fetch(links[i] ?? '', { method: 'PUT', body: new Uint8Array(bytes) }).then((res) => res.status),
      ),
    );
    expect(statuses.toSorted()).toEqual([200, 200, 200, 403]);
  });
});

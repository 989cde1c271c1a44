import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everything, file, type HostileHub, header, startHostileHub } from './hostile-hub.ts';

let hub: HostileHub;
beforeAll(async () => {
  hub = await startHostileHub();
  await hub.createRepo('open');
  await hub.createRepo('secret', { private: true });
  await hub.commit('alice/open', [header, file('sub/a.txt', 'hello')]);
});
afterAll(() => hub.close());

/** The answer is this refusal, says the same in header and body, and nothing whatever was changed by it. */
async function refused(
  send: () => ReturnType<HostileHub['ask']>,
  status: number,
  code: string | null,
  says: RegExp,
): Promise<void> {
  const before = await everything(hub.app);
  const answer = await send();
  expect([answer.status, answer.code], answer.text).toEqual([status, code]);
  expect(answer.headers.get('content-type')).toMatch(/^application\/(?:json|vnd\.git-lfs\+json)/);
  const body = JSON.parse(answer.text) as { error?: string; message?: string };
  expect(body.error ?? body.message).toMatch(says);
  expect(answer.message).toMatch(says);
  expect(answer.headers.get('x-request-id')).toBeTruthy();
  expect(await everything(hub.app)).toEqual(before);
}

describe('every way to write, refused, changes nothing at all and says why', () => {
  const lines = [header, file('evil.txt')];
  const oid = createHash('sha256').update('never sent').digest('hex');
  const lfs = (body: unknown, as?: 'bob' | 'nobody' | 'reader') =>
    hub.ask('/alice/secret.git/info/lfs/objects/batch', { ...(as && { as }), body });
  const wrongToken = { authorization: `Bearer hf_${'w'.repeat(40)}` };
  const upload = { operation: 'upload', objects: [{ oid, size: 10 }] };

  test.each([
    [
      'wrong token, commit',
      () => hub.commit('alice/open', lines, { headers: wrongToken }),
      401,
      null,
      /Invalid credentials in Authorization header/,
    ],
    [
      'wrong token, create',
      () => hub.ask('/api/repos/create', { body: { name: 'x' }, headers: wrongToken }),
      401,
      null,
      /Invalid credentials/,
    ],
    [
      'wrong token, delete',
      () => hub.ask('/api/repos/delete', { method: 'DELETE', body: { name: 'open' }, headers: wrongToken }),
      401,
      null,
      /Invalid credentials/,
    ],
    ['missing repo, commit', () => hub.commit('alice/nope', lines), 404, 'RepoNotFound', /not found/i],
    [
      'missing repo, delete',
      () => hub.ask('/api/repos/delete', { method: 'DELETE', body: { name: 'nope' } }),
      404,
      'RepoNotFound',
      /not found/i,
    ],
    [
      'missing repo, preupload',
      () => hub.ask('/api/models/alice/nope/preupload/main', { body: { files: [] } }),
      404,
      'RepoNotFound',
      /not found/i,
    ],
    [
      'private repo of others, commit',
      () => hub.commit('alice/secret', lines, { as: 'bob' }),
      404,
      'RepoNotFound',
      /not found/i,
    ],
    [
      'private repo of others, nobody commits',
      () => hub.commit('alice/secret', lines, { as: 'nobody' }),
      401,
      'RepoNotFound',
      /not found/i,
    ],
    [
      'private repo of others, delete',
      () =>
        hub.ask('/api/repos/delete', {
          as: 'bob',
          method: 'DELETE',
          body: { name: 'secret', organization: 'alice' },
        }),
      404,
      'RepoNotFound',
      /not found/i,
    ],
    [
      'public repo of others, delete',
      () =>
        hub.ask('/api/repos/delete', {
          as: 'bob',
          method: 'DELETE',
          body: { name: 'open', organization: 'alice' },
        }),
      403,
      null,
      /right/,
    ],
    [
      'create in a namespace of others',
      () => hub.ask('/api/repos/create', { as: 'bob', body: { name: 'x', organization: 'alice' } }),
      403,
      null,
      /don't have the rights to create a model under the namespace "alice"/,
    ],
    ['private repo of others, LFS batch', () => lfs(upload, 'bob'), 404, 'RepoNotFound', /not found/i],
    ['read token, LFS batch', () => lfs(upload, 'reader'), 403, null, /write token/],
    [
      'bad revision, commit',
      () =>
        hub.ask('/api/models/alice/open/commit/nope', {
          body: lines.map((line) => JSON.stringify(line)).join('\n'),
        }),
      404,
      'RevisionNotFound',
      /Invalid rev id: nope/,
    ],
    [
      'a revision with a broken escape, commit',
      () =>
        hub.ask('/api/models/alice/open/commit/%zz', {
          body: lines.map((l) => JSON.stringify(l)).join('\n'),
        }),
      400,
      null,
      /percent-escape/,
    ],
    [
      'a revision with a broken escape, preupload',
      () => hub.ask('/api/models/alice/open/preupload/%e0%a4', { body: { files: [] } }),
      400,
      null,
      /percent-escape/,
    ],
    [
      'path with .., beside good files',
      () => hub.commit('alice/open', [header, file('fine.txt'), file('a/../../b')]),
      422,
      null,
      /Invalid path in repo: "a\/\.\.\/\.\.\/b"/,
    ],
    [
      'path with .., deleting',
      () => hub.commit('alice/open', [header, { key: 'deletedFile', value: { path: '../x' } }]),
      422,
      null,
      /Invalid path/,
    ],
    [
      'path with .., renaming',
      () =>
        hub.commit('alice/open', [
          header,
          { key: 'file', value: { path: 'ok', oldPath: '../x', content: '', encoding: 'base64' } },
        ]),
      422,
      null,
      /Invalid path/,
    ],
    [
      'broken NDJSON line after good ones',
      () => hub.commit('alice/open', [...lines, '{"key":"file","value":']),
      400,
      null,
      /line 3 is not valid JSON/,
    ],
    [
      'broken base64',
      () =>
        hub.commit('alice/open', [
          header,
          { key: 'file', value: { path: 'x', content: 'a*b=', encoding: 'base64' } },
        ]),
      400,
      null,
      /line 2: "content" is not valid base64/,
    ],
    [
      'LFS file that was never uploaded',
      () => hub.commit('alice/open', [header, { key: 'lfsFile', value: { path: 'm.bin', oid, size: 10 } }]),
      422,
      null,
      new RegExp(`"m.bin" \\(oid ${oid}\\): this repository does not hold the file`),
    ],
    [
      'LFS batch that is no JSON',
      () => hub.ask('/alice/open.git/info/lfs/objects/batch', { body: '{' }),
      400,
      null,
      /not valid JSON/,
    ],
    [
      'LFS batch with a ref that is no text',
      () => lfs({ ...upload, transfers: ['xet'], ref: { name: 7 } }),
      400,
      null,
      /"ref.name"/,
    ],
    [
      'Xet token for a private repo of others',
      () => hub.ask('/api/models/alice/secret/xet-write-token/main', { as: 'bob' }),
      404,
      'RepoNotFound',
      /not found/i,
    ],
    [
      'endpoint of a private repo of others',
      () => hub.ask('/api/endpoints', { as: 'bob', body: { repo: { namespace: 'alice', name: 'secret' } } }),
      404,
      'RepoNotFound',
      /not found/i,
    ],
    [
      'endpoint of a repo without a GGUF',
      () => hub.ask('/api/endpoints', { body: { repo: { namespace: 'alice', name: 'open' } } }),
      400,
      null,
      /\.gguf/,
    ],
  ] as const)('%s', async (_what, send, status, code, says) => {
    await refused(send, status, code, says);
  });

  test('wrong SHA-256: what was sent is gone, no edge, no object', async () => {
    const bytes = randomBytes(100_000);
    const batch = await lfs({ operation: 'upload', objects: [{ oid, size: bytes.length }] });
    const { actions } = (JSON.parse(batch.text) as { objects: [{ actions: { upload: { href: string } } }] })
      .objects[0];
    const href = actions.upload.href.replace(/^https?:\/\/[^/]+/, '');
    await refused(
      () => hub.ask(href, { as: 'nobody', method: 'PUT', body: new Uint8Array(bytes) }),
      422,
      null,
      /have SHA-256 [0-9a-f]{64}, not/,
    );
  });
});

describe('every way to read says the same about the same thing', () => {
  const ways = [
    '/api/models/REPO/revision/REV',
    '/api/models/REPO/tree/REV',
    '/api/models/REPO/commits/REV',
    '/REPO/resolve/REV/sub/a.txt',
    '/REPO/raw/REV/sub/a.txt',
  ];
  test.each(ways)('%s', async (way) => {
    const at = (repo: string, rev: string) => way.replace('REPO', repo).replace('REV', rev);
    for (const as of ['bob', 'nobody'] as const) {
      const status = as === 'bob' ? 404 : 401;
      await refused(() => hub.ask(at('alice/secret', 'main'), { as }), status, 'RepoNotFound', /not found/i);
      await refused(() => hub.ask(at('alice/nope', 'main'), { as }), status, 'RepoNotFound', /not found/i);
      // a bad revision of a hidden repo is a hidden repo
      await refused(() => hub.ask(at('alice/secret', 'nope'), { as }), status, 'RepoNotFound', /not found/i);
    }
    const rev = 'f'.repeat(40);
    for (const bad of ['nope', rev, 'refs%2Fpr%2F9', 'refs/heads/none', '-x', 'a..b'])
      await refused(() => hub.ask(at('alice/open', bad)), 404, 'RevisionNotFound', /Invalid rev id: /);
    const wrong = { authorization: `Bearer hf_${'w'.repeat(40)}` };
    await refused(
      () => hub.ask(at('alice/open', 'main'), { headers: wrong }),
      401,
      null,
      /Invalid credentials/,
    );
  });
});

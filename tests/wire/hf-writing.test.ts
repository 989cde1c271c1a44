import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { file, type HfWire, header, seedRepos, startHfWire } from './hf-wire.ts';

let hub: HfWire;
let head: string;

beforeAll(async () => {
  hub = await startHfWire();
  head = await seedRepos(hub);
});

afterAll(() => hub?.close());

describe('commit', () => {
  test('a broken line is refused by its number and nothing of the commit stays', async () => {
    const answer = await hub.commit('models/alice/m', [
      header(),
      file('new.txt', 'x'),
      '{"key":"file"',
      header(),
    ]);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toBe('line 3 is not valid JSON');
    expect((await hub.ask('/alice/m/resolve/main/new.txt')).status).toBe(404);
    const info = (await (await hub.ask('/api/models/alice/m')).json()) as { sha: string };
    expect(info.sha).toBe(head);
  });

  test('the refusal reaches a client that is still sending megabytes', async () => {
    const line = JSON.stringify(file('big.txt', 'x'.repeat(3_000_000)));
    const lines = [header(), 'not json', ...Array.from({ length: 10 }, () => line)];
    const answer = await hub.commit('models/alice/m', lines);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toMatch(/line 2/);
  });

  test.each([
    ['a path upwards', [file('../x', 'x')], 422, /\.\./],
    ['an absolute path', [file('/x', 'x')], 422, /x/],
    ['.git', [file('.git/config', 'x')], 422, /\.git/],
    ['no operation', [], 400, /Add a line with the key/],
    [
      'a missing file to delete',
      [{ key: 'deletedFile', value: { path: 'nope' } }],
      404,
      /does not exist|doesn't exist/,
    ],
    [
      'an unknown large file',
      [{ key: 'lfsFile', value: { path: 'm.bin', algo: 'sha256', oid: 'a'.repeat(64), size: 3 } }],
      422,
      /./,
    ],
    ['broken card metadata', [file('README.md', '---\nlicense: [\n---\n')], 400, /README\.md/],
  ])('%s is refused', async (_name, lines, status, message) => {
    const answer = await hub.commit('models/alice/m', [header(), ...lines]);
    expect(answer.status).toBe(status);
    expect(((await answer.json()) as { error: string }).error).toMatch(message);
  });

  test('another parent is 412, a missing branch 404, nothing in it 400, also with create_pr', async () => {
    const moved = await hub.commit('models/alice/m', [
      header('x', { parentCommit: '0'.repeat(40) }),
      file('x', 'x'),
    ]);
    expect(moved.status).toBe(412);
    const branch = await hub.ask('/api/models/alice/m/commit/nope', { body: JSON.stringify(header()) });
    expect(branch.headers.get('x-error-code')).toBe('RevisionNotFound');
    const pr = await hub.ask('/api/models/alice/m/commit/main?create_pr=1', {
      body: JSON.stringify(header()),
    });
    expect([pr.status, pr.headers.get('x-error-message')]).toEqual([
      400,
      expect.stringMatching(/^Add a line with the key/),
    ]);
  });

  test('the answer is an address clients can parse; the same again makes no second commit', async () => {
    const lines = [header('twice'), file('twice.txt', 'x')];
    const first = (await (await hub.commit('datasets/alice/d', lines)).json()) as Record<string, string>;
    expect(first).toMatchObject({
      success: true,
      commitUrl: `${hub.url}/datasets/alice/d/commit/${first.commitOid}`,
      hookOutput: '',
    });
    const second = (await (await hub.commit('datasets/alice/d', lines)).json()) as Record<string, string>;
    expect(second.commitOid).toBe(first.commitOid);
  });

  test('the older JSON body works too', async () => {
    const answer = await hub.ask('/api/datasets/alice/d/commit/main', {
      body: { summary: 'json', files: [{ path: 'j.txt', content: 'j', encoding: 'utf-8' }] },
    });
    expect(answer.status).toBe(200);
    expect(await (await hub.ask('/datasets/alice/d/resolve/main/j.txt')).text()).toBe('j');
  });
});

describe('preupload', () => {
  test('tells per file how to send it, what is ignored and what is already there', async () => {
    const answer = await hub.ask('/api/models/alice/m/preupload/main', {
      body: {
        files: [
          { path: 'a.bin', sample: 'aGk=', size: 2 },
          { path: 'a.txt', sample: 'aGk=', size: 2 },
          { path: 'b.dat', sample: 'AAEC', size: 3 },
          { path: 'huge.txt', sample: 'aGk=', size: 11_000_000 },
          { path: 'config.json', sample: 'e30=', size: 2 },
          { path: 'x.log', sample: '', size: 2 },
        ],
        gitIgnore: '*.log\n',
      },
    });
    const { files, commitOid } = (await answer.json()) as {
      files: Record<string, unknown>[];
      commitOid: string;
    };
    expect(commitOid).toBe(head);
    expect(files.map((f) => [f.path, f.uploadMode, f.shouldIgnore])).toEqual([
      ['a.bin', 'lfs', false],
      ['a.txt', 'regular', false],
      ['b.dat', 'lfs', false],
      ['huge.txt', 'lfs', false],
      ['config.json', 'regular', false],
      ['x.log', 'regular', true],
    ]);
    expect(files[4]?.oid).toMatch(/^[0-9a-f]{40}$/);
  });

  test('a missing branch is RevisionNotFound, too many files are refused', async () => {
    const missing = await hub.ask('/api/models/alice/m/preupload/nope', { body: { files: [] } });
    expect(missing.headers.get('x-error-code')).toBe('RevisionNotFound');
    const files = Array.from({ length: 1001 }, (_, i) => ({ path: `f${i}`, size: 1, sample: '' }));
    expect((await hub.ask('/api/models/alice/m/preupload/main', { body: { files } })).status).toBe(400);
  });
});

describe('branches', () => {
  const branch = (name: string, options: Parameters<HfWire['ask']>[1] = {}) =>
    hub.ask(`/api/models/alice/m/branch/${name}`, { method: 'POST', body: {}, ...options });

  test('are made from a starting point, written to, listed and deleted', async () => {
    expect((await branch('feat%2Fx')).status).toBe(200);
    const lines = [header('on the branch'), file('branch.txt', 'b')].map((l) => JSON.stringify(l)).join('\n');
    const made = await hub.ask('/api/models/alice/m/commit/feat%2Fx', { method: 'POST', body: lines });
    expect(made.status).toBe(200);
    expect(await (await hub.ask('/alice/m/resolve/feat%2Fx/branch.txt')).text()).toBe('b');
    expect(await (await hub.ask('/alice/m/resolve/feat/x/branch.txt')).text()).toBe('b');
    expect((await hub.ask('/alice/m/resolve/main/branch.txt')).status).toBe(404);
    const { branches } = (await (await hub.ask('/api/models/alice/m/refs')).json()) as {
      branches: { name: string }[];
    };
    expect(branches.map((b) => b.name)).toEqual(['main', 'feat/x']);
    expect((await branch('old', { body: { startingPoint: head.slice(0, 10) } })).status).toBe(200);
    expect((await branch('feat%2Fx', { method: 'DELETE' })).status).toBe(200);
    expect((await hub.ask('/alice/m/resolve/feat%2Fx/branch.txt')).headers.get('x-error-code')).toBe(
      'RevisionNotFound',
    );
  });

  test.each([
    ['one that exists', 'main', {}, 409, null],
    ['a bad starting point', 'b', { body: { startingPoint: 'nope' } }, 404, 'RevisionNotFound'],
    ['a reference of another kind', 'refs%2Fpr%2F5', {}, 400, null],
    ['a name git refuses', 'a..b', {}, 400, null],
    ['the default branch deleted', 'main', { method: 'DELETE' }, 403, null],
    ['a missing one deleted', 'nope', { method: 'DELETE' }, 404, 'RevisionNotFound'],
    ['by a stranger', 'b', { as: 'bob' as const }, 403, null],
    ['with a read token', 'b', { as: 'reader' as const }, 403, null],
  ])('%s is refused', async (_name, name, options, status, code) => {
    const answer = await branch(name, options);
    expect([answer.status, answer.headers.get('x-error-code')]).toEqual([status, code]);
  });
});

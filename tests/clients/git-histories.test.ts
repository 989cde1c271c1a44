import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Git } from '#tests/repos/git-binary.ts';
import { PROJECT } from '#tests/support/child.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { histories, Workshop } from './git-histories.ts';

const SEED = Number(process.env.LARDER_GIT_SEED ?? 20_260);
const RUNS = Number(process.env.LARDER_GIT_RUNS ?? 10);

let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ env: { LOG_LEVEL: 'warn' } });
});
afterAll(() => hub?.stop());

async function ask(path: string, body?: unknown): Promise<Response> {
  const answer = await fetch(hub.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  expect(answer.status, path).toBe(200);
  return answer;
}

/** Names of branches and tags, as the mirror has them. */
const namesIn = (git: Git) =>
  git.run(['for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/tags']).split('\n').filter(Boolean);

/** The hub's recursive listing and its number of commits equal those of git for one ref. */
async function compareListing(repo: string, git: Git, ref: string): Promise<void> {
  const revision = encodeURIComponent(ref.replace(/^refs\/(?:heads|tags)\//, ''));
  const listing = await ask(`/api/models/${repo}/tree/${revision}?recursive=true&limit=1000`);
  const entries = (await listing.json()) as { type: string; oid: string; path: string }[];
  const lines = git.run(['ls-tree', '-r', '-t', '-z', '--full-tree', ref]).split('\0').filter(Boolean);
  const expected = lines.map((line) => {
    const [, kind, oid, path] = /^\d+ (\w+) (\w+)\t(.*)$/s.exec(line) as unknown as [
      string,
      string,
      string,
      string,
    ];
    return { type: kind === 'tree' ? 'directory' : 'file', oid, path };
  });
  expect(entries.map(({ type, oid, path }) => ({ type, oid, path }))).toEqual(expected);
  const commits = await ask(`/api/models/${repo}/commits/${revision}?limit=1`);
  expect(commits.headers.get('x-total-count')).toBe(git.run(['rev-list', '--count', ref]).trim());
}

test('histories of any kind, pushed piece by piece, come back with every ref, id, mode and byte', async () => {
  let round = 0;
  const host = new URL(hub.url).host;
  await fc.assert(
    fc.asyncProperty(histories, async (pushes) => {
      const name = `h${round++}`;
      await ask('/api/repos/create', { name });
      const remote = `http://admin:${hub.adminToken}@${host}/admin/${name}.git`;
      const [work, mirror, follower, fresh] = [
        new Workshop(remote),
        new Git('--bare'),
        new Git('--bare'),
        new Git('--bare'),
      ];
      const refspecs = ['+refs/heads/*:refs/heads/*', '+refs/tags/*:refs/tags/*'];
      try {
        for (const operations of pushes) {
          for (const operation of operations) work.do(operation);
          for (const to of [remote, mirror.dir]) work.git.run(['push', '-q', '--prune', to, ...refspecs]);
          expect(namesIn(mirror)).toContain('refs/heads/main');
          follower.run(['fetch', '-q', '--prune', remote, ...refspecs]);
          for (const git of [follower, mirror])
            expect(git.run(['for-each-ref', '--format=%(objectname) %(refname)'])).toBe(work.refs());
          follower.run(['fsck', '--full', '--strict', '--no-dangling']);
        }
        fresh.run(['fetch', '-q', remote, ...refspecs]);
        expect(fresh.run(['for-each-ref', '--format=%(objectname) %(refname)'])).toBe(work.refs());
        expect(fresh.run(['fsck', '--full', '--strict'])).toBe('');
        const reachable = (git: Git) => git.run(['rev-list', '--all', '--objects']).split('\n').sort();
        expect(reachable(fresh)).toEqual(reachable(mirror));
        for (const ref of namesIn(mirror)) await compareListing(`admin/${name}`, mirror, ref);
      } finally {
        for (const git of [work.git, mirror, follower, fresh]) git.remove();
      }
    }),
    { numRuns: RUNS, seed: SEED, endOnFailure: true },
  );
  const env = { ...process.env, DATABASE_URL: hub.databaseUrl, LARDER_DATA: hub.dataDir };
  const check = spawnSync(process.execPath, ['workers/check.ts'], { cwd: PROJECT, env, encoding: 'utf8' });
  expect(check.status, check.stdout + check.stderr).toBe(0);
}, 300_000);

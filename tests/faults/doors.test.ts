import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { GitPerson } from '#tests/clients/git-person.ts';
import { hfOk } from '#tests/clients/python.ts';
import { type FragileHub, startFragileHub } from './fragile-hub.ts';
import { eventually, pause, seededRandom } from './nemesis.ts';

const SEEDS = (process.env.LARDER_FAULT_SEEDS ?? '1').split(',').map(Number);
const KILLS = 4;
const ROUND_MS = 60_000;
const REPO = 'admin/doors';

/** What was sent, and what the hub said yes to. */
interface History {
  readonly acked: Set<string>;
  readonly sent: Set<string>;
}

/** One way of writing a file: resolves when it was acknowledged, throws when it was not. */
type Door = (path: string) => Promise<void>;

async function call(fragile: FragileHub, method: string, path: string, body: string, type: string) {
  const res = await fetch(fragile.hub.url + path, {
    method,
    headers: { authorization: `Bearer ${fragile.hub.adminToken}`, 'content-type': type },
    ...(body !== '' && { body }),
    signal: AbortSignal.timeout(20_000),
  });
  const answer = (await res.json()) as Record<string, unknown>;
  if (!res.ok) throw new Error(`${path}: ${res.status} ${JSON.stringify(answer)}`);
  return answer;
}

const json = (fragile: FragileHub, method: string, path: string, body: unknown) =>
  call(fragile, method, path, body === null ? '' : JSON.stringify(body), 'application/json');

function commit(fragile: FragileHub, revision: string, path: string, parentCommit?: string) {
  const lines = [
    { key: 'header', value: { summary: `Add ${path}`, ...(parentCommit && { parentCommit }) } },
    { key: 'file', value: { path, content: path, encoding: 'utf-8' } },
  ];
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  const address = `/api/models/${REPO}/commit/${encodeURIComponent(revision)}`;
  return call(fragile, 'POST', address, body, 'application/x-ndjson');
}

/** A client that names no parent. */
const byCommit =
  (fragile: FragileHub): Door =>
  async (path) =>
    void (await commit(fragile, 'main', path));

/** As the editor on a page does it: on top of what it has seen, again when the branch has moved. */
const byPage =
  (fragile: FragileHub): Door =>
  async (path) => {
    const { sha } = await json(fragile, 'GET', `/api/models/${REPO}/revision/main`, null);
    await commit(fragile, 'main', path, String(sha));
  };

/** A pull request with one commit, merged. */
function byMerge(fragile: FragileHub): Door {
  const open = new Map<string, number>();
  return async (path) => {
    const discussions = `/api/models/${REPO}/discussions`;
    let num = open.get(path);
    if (num === undefined) {
      const made = await json(fragile, 'POST', discussions, { title: `Add ${path}`, pullRequest: true });
      num = Number(made.num);
      open.set(path, num);
    }
    const { status } = await json(fragile, 'GET', `${discussions}/${num}`, null);
    if (status === 'merged') return;
    await commit(fragile, `refs/pr/${num}`, path);
    if (status === 'draft') await json(fragile, 'POST', `${discussions}/${num}/status`, { status: 'open' });
    await json(fragile, 'POST', `${discussions}/${num}/merge`, {});
  };
}

/** Stock git: commit, push, and when others were faster rebase and push again. */
function byPush(fragile: FragileHub, folder: string): Door {
  const person = new GitPerson(fragile.hub, folder, 'admin', fragile.hub.adminToken);
  let isCloned = false;
  return async (path) => {
    if (!isCloned) {
      await rm(person.at('doors'), { recursive: true, force: true });
      await person.git('', 'clone', '-q', person.remote(REPO), 'doors');
      isCloned = true;
    }
    const full = join(person.at('doors'), path);
    await mkdir(join(full, '..'), { recursive: true });
    await writeFile(full, path);
    await person.git('doors', 'add', '-A');
    if ((await person.git('doors', 'status', '--porcelain')) !== '')
      await person.git('doors', 'commit', '-qm', `Add ${path}`);
    for (let tries = 0; tries < 6; tries++) {
      if ((await person.try('doors', 'push', '-q', 'origin', 'HEAD:main')).code === 0) return;
      await person.try('doors', 'pull', '-q', '--rebase');
    }
    throw new Error('did not get through');
  };
}

/** Stock hf. */
function byClient(fragile: FragileHub, folder: string): Door {
  return async (path) => {
    const from = join(folder, 'upload.txt');
    await writeFile(from, path);
    const options = { endpoint: fragile.hub.url, token: fragile.hub.adminToken, home: join(folder, 'hf') };
    await hfOk(['upload', REPO, from, path], options);
  };
}

/** Sends one file through a door until it is acknowledged. */
async function insist(name: string, door: Door, round: number, history: History): Promise<void> {
  const path = `${name}/f${round}.txt`;
  history.sent.add(path);
  for (const untilMs = Date.now() + ROUND_MS; !history.acked.has(path); ) {
    await door(path).then(
      () => history.acked.add(path),
      (error: Error) => {
        if (Date.now() > untilMs) throw new Error(`${path} is not taken`, { cause: error });
      },
    );
    if (!history.acked.has(path)) await pause(100);
  }
}

describe('every door to one branch at once, while server and database are killed', () => {
  let fragile: FragileHub | undefined;
  let folder = '';
  afterEach(async () => {
    await fragile?.stop();
    fragile = undefined;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  test.each(SEEDS)(
    'seed %i: what any of them was told to be written is in the head, the history is one chain, check and fsck are clean',
    { timeout: 240_000 },
    async (seed) => {
      const random = seededRandom(seed);
      folder = await mkdtemp(join(tmpdir(), 'larder-doors-'));
      const f = await startFragileHub({ env: { LOG_LEVEL: 'fatal' }, worker: true });
      fragile = f;
      await json(f, 'POST', '/api/repos/create', { name: 'doors' });
      const doors: Record<string, Door> = {
        commit: byCommit(f),
        page: byPage(f),
        merge: byMerge(f),
        push: byPush(f, join(folder, 'one')),
        push2: byPush(f, join(folder, 'two')),
        client: byClient(f, folder),
      };
      const history: History = { acked: new Set(), sent: new Set() };
      const nemesis = async () => {
        for (let kill = 0; kill < KILLS; kill++) {
          await pause(2_000 + random() * 4_000);
          const withPostgres = random() < 0.4;
          if (withPostgres) await f.killPostgres();
          if (!withPostgres || random() < 0.5) await f.hub.kill();
          await eventually(() => f.revive());
        }
      };
      const storm = { isOver: false };
      const end = nemesis().finally(() => {
        storm.isOver = true;
      });
      // in rounds, so that a push, which cannot win against a branch that never rests, gets through in the end
      for (let round = 0; round < 3 || !storm.isOver; round++)
        await Promise.all(Object.entries(doors).map(([name, door]) => insist(name, door, round, history)));
      await end;

      const reader = new GitPerson(f.hub, join(folder, 'reader'), 'admin', f.hub.adminToken);
      await reader.git('', 'clone', '-q', reader.remote(REPO), 'doors');
      await reader.git('doors', 'fsck', '--full');
      const files = new Set((await reader.git('doors', 'ls-files')).split('\n'));
      files.delete('.gitattributes');
      expect([...history.acked].filter((path) => !files.has(path))).toEqual([]);
      expect([...files].filter((path) => !history.sent.has(path))).toEqual([]);
      expect(f.check()).toBeNull();
    },
  );
});

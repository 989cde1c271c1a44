import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { GitPerson } from '#tests/clients/git-person.ts';
import {
  byClient,
  byCommit,
  byMerge,
  byPage,
  byPush,
  type Door,
  History,
  insist,
  json,
  type Target,
} from './doors.ts';
import { type FragileHub, startFragileHub } from './fragile-hub.ts';
import { eventually, pause, seededRandom, seedsAsked } from './nemesis.ts';

const KILLS = 4;
const REPO = 'admin/doors';

describe('every door to one branch at once, while server and database are killed', () => {
  let fragile: FragileHub | undefined;
  let folder = '';
  afterEach(async () => {
    await fragile?.stop();
    fragile = undefined;
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  test.each(seedsAsked('1'))(
    'seed %i: what any of them was told to be written is in the head, the history is one chain, check and fsck are clean',
    { timeout: 240_000 },
    async (seed) => {
      const random = seededRandom(seed);
      folder = await mkdtemp(join(tmpdir(), 'larder-doors-'));
      const f = await startFragileHub({ env: { LOG_LEVEL: 'fatal' }, worker: true });
      fragile = f;
      await json(f.hub, 'POST', '/api/repos/create', { name: 'doors' });
      const target: Target = { repo: REPO, server: () => f.hub };
      const doors: Record<string, Door> = {
        commit: byCommit(target),
        page: byPage(target),
        merge: byMerge(target, true),
        push: byPush(target, join(folder, 'one')),
        push2: byPush(target, join(folder, 'two')),
        client: byClient(target, folder),
      };
      const history = new History();
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
        await Promise.all(
          Object.entries(doors).map(([name, door]) => insist(`${name}/f${round}.txt`, door, history)),
        );
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

import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { shareChunks } from '#lib/repos/files/xet/share-chunks.ts';
import { unpackTerms } from '#lib/repos/files/xet/terms.ts';
import { computeReport } from '#lib/repos/storage/compute-report.ts';
import type { Repo } from '#lib/repos/types.ts';
import { createWorld, inDays, lfs, random, type World } from '#tests/reclaim/world.ts';
import { startChild } from '#tests/support/child.ts';
import { type BuiltTerm, buildXorb, contentOf } from './build.ts';

const KB = 1000;
const chunks = (n: number, bytes = 100 * KB) => Array.from({ length: n }, () => random(bytes));
const wholeOf = (...parts: Buffer[][]): BuiltTerm[] => {
  const xorb = buildXorb(parts.flat());
  return [{ xorb, start: 0, end: xorb.chunks.length }];
};

let w: World;
let one: Repo;
let two: Repo;
beforeEach(async () => {
  w = await createWorld({ LARDER_GC_BRAKE_PERCENT: '100' });
  one = await w.repo('one');
  two = await w.repo('two');
});
afterEach(() => w.close());

/** Uploads a file with xorbs of its own, as a client does that knows of nothing, and commits it. Returns its id. */
async function upload(repo: Repo, terms: BuiltTerm[]): Promise<number> {
  const [sha256] = await w.xet(repo, [...new Set(terms.map(({ xorb }) => xorb))], [terms]);
  await w.commit(repo, lfs(`f${Math.random()}`, sha256 as never));
  const { rows } = await w.t.app.db.query<{ id: number }>('SELECT max(id) AS id FROM xet_file');
  return rows[0]?.id as number;
}
const share = (...fileIds: number[]) => shareChunks(w.t.app, { fileIds }, new AbortController().signal);
const termsOf = async (fileId: number) => {
  const { rows } = await w.t.app.db.query<{ terms: Buffer }>('SELECT terms FROM xet_file WHERE id = $1', [
    fileId,
  ]);
  return unpackTerms(rows[0]?.terms as Buffer).map(({ xorbId, start, end }) => [xorbId, start, end]);
};
const holds = (repo: Repo, terms: BuiltTerm[]) => w.holds(repo.id, contentOf(terms));
const stored = async () =>
  (await w.t.app.db.query<{ bytes: number }>('SELECT coalesce(sum(disk_bytes), 0)::int8 AS bytes FROM xorb'))
    .rows[0]?.bytes as number;

describe('chunks that were uploaded although they were stored', () => {
  test('are shared with the older file: both are read as before, figures say so, and garbage collection frees the bytes', async () => {
    const [frozen, a, b] = [chunks(12), chunks(4), chunks(4)];
    const [first, second] = [wholeOf(a, frozen), wholeOf(b, frozen)];
    const [f, g] = [await upload(one, first), await upload(two, second)];
    const before = await computeReport(w.t.app, two);
    expect(before).toMatchObject({ ownBytes: 16 * 100_008, sharedBytes: 0 });
    expect(await share(f, g)).toBe(1);
    const [[x]] = (await termsOf(f)) as [[number]];
    expect(await termsOf(g)).toEqual([
      [x + 1, 0, 4],
      [x, 4, 16],
    ]);
    expect(await computeReport(w.t.app, two)).toMatchObject({
      ownBytes: 4 * 100_008,
      sharedBytes: 12 * 100_008,
    });
    expect(await share(f, g)).toBe(0);
    for (const [repo, file] of [
      [one, first],
      [two, second],
    ] as const)
      expect(await holds(repo, file)).toBe(true);
    for (const days of [4, 23, 25]) await w.gc({ at: inDays(days) });
    for (const [repo, file] of [
      [one, first],
      [two, second],
    ] as const)
      expect(await holds(repo, file)).toBe(true);
    expect(await stored()).toBe(20 * 100_008);
    expect(await w.problems()).toEqual([]);
  });

  test('stay where they are in runs below 512 KiB, in the file that came first, and when they are shared already', async () => {
    const [few, many] = [chunks(4), chunks(8)];
    const first = wholeOf(few, chunks(3), many);
    const f = await upload(one, first);
    const g = await upload(one, wholeOf(few, chunks(8)));
    const h = await upload(two, wholeOf(chunks(1), many));
    const xorb = (first[0] as BuiltTerm).xorb;
    const i = await upload(two, [{ xorb, start: 7, end: 15 }, ...wholeOf(chunks(3))]);
    const before = await Promise.all([f, g, i].map(termsOf));
    expect(await share(f, g, h, i)).toBe(1);
    expect(await Promise.all([f, g, i].map(termsOf))).toEqual(before);
    expect(await termsOf(h)).toHaveLength(2);
  });

  test('of files that are looked at all at the same time are kept once', async () => {
    const frozen = chunks(10);
    const files = Array.from({ length: 5 }, () => wholeOf(chunks(1), frozen));
    const ids: number[] = [];
    for (const file of files) ids.push(await upload(two, file));
    const changed = await Promise.all(ids.map((id) => share(id)));
    expect(changed).toEqual([0, 1, 1, 1, 1]);
    const shared = (await Promise.all(ids.map(termsOf))).map((terms) => terms.at(-1)?.[0]);
    expect(new Set(shared).size).toBe(1);
    for (const file of files) expect(await holds(two, file)).toBe(true);
    expect(await w.problems()).toEqual([]);
  });

  test('are not shared with a xorb that is condemned meanwhile, nor with what another namespace holds', async () => {
    const frozen = chunks(10);
    const f = await upload(one, wholeOf(chunks(1), frozen));
    const second = wholeOf(chunks(1), frozen);
    const g = await upload(two, second);
    const before = await termsOf(g);
    const { store, db } = w.t.app;
    const put = store.put;
    Object.assign(store, {
      put: async (...args: Parameters<typeof put>) => {
        await db.query(`UPDATE xorb SET state = 'condemned' WHERE id = $1`, [(await termsOf(f))[0]?.[0]]);
        return put(...args);
      },
    });
    expect(await share(g)).toBe(0);
    Object.assign(store, { put });
    expect(await termsOf(g)).toEqual(before);
    await db.query(`UPDATE xorb SET state = 'live'`);
    await db.query(`INSERT INTO xet_domain (namespace_id, epoch) VALUES (NULL, 1)`);
    await db.query(
      'UPDATE xet_file SET domain_id = (SELECT id FROM xet_domain WHERE namespace_id IS NULL) WHERE id = $1',
      [g],
    );
    expect(await share(g)).toBe(0);
    expect(await holds(two, second)).toBe(true);
  });

  test('a killed worker leaves the file as it was, and the next one does it', async () => {
    const frozen = chunks(10);
    await upload(one, wholeOf(chunks(1), frozen));
    const second = wholeOf(chunks(1), frozen);
    const g = await upload(two, second);
    const before = await termsOf(g);
    const work = async (failpoint?: string) => {
      const child = startChild(['tests/xet/share-child.ts', String(g)], {
        DATABASE_URL: w.t.databaseUrl,
        LARDER_DATA: w.t.dataDir,
        LOG_LEVEL: 'info',
        ...(failpoint && { LARDER_FAILPOINTS: `${failpoint}=exit` }),
      });
      await child.exited;
      return child.logs();
    };
    for (const point of ['share.logged', 'share.before-commit']) {
      expect(await work(point)).toContain(`failpoint ${point}`);
      expect(await termsOf(g)).toEqual(before);
      expect(await holds(two, second)).toBe(true);
    }
    expect(await work()).toContain('changed 1');
    expect(await termsOf(g)).not.toEqual(before);
    expect(await holds(two, second)).toBe(true);
  });

  test('an upload asks for it', async () => {
    const id = await upload(one, wholeOf(chunks(11)));
    const { rows } = await w.t.app.db.query(`SELECT data FROM pgboss.job WHERE name = 'xet.chunks-uploaded'`);
    expect(rows).toEqual([{ data: { fileIds: [id] } }]);
  });
});

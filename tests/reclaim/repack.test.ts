import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import { deleteLfsFiles } from '#lib/repos/delete-lfs-files.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { openFile } from '#lib/repos/files/open-file.ts';
import type { Repo } from '#lib/repos/types.ts';
import { type BuiltTerm, type BuiltXorb, buildXorb, contentOf } from '#tests/xet/build.ts';
import { createWorld, inDays, lfs, random, sha256Of, type World } from './world.ts';

let w: World;
let repo: Repo;
let x: BuiltXorb;
let y: BuiltXorb;
/** A file over two chunks of x and one of y; the rest of both is of a file that was deleted. */
let kept: BuiltTerm[];
let whole: BuiltTerm[];
beforeEach(async () => {
  w = await createWorld({ LARDER_GC_BRAKE_PERCENT: '100' });
  repo = await w.repo('r');
  x = buildXorb(Array.from({ length: 10 }, () => random(100_000)));
  y = buildXorb(Array.from({ length: 10 }, () => random(90_000)));
  kept = [
    { xorb: x, start: 3, end: 5 },
    { xorb: y, start: 9, end: 10 },
    { xorb: x, start: 4, end: 5 },
  ];
  whole = [
    { xorb: x, start: 0, end: 10 },
    { xorb: y, start: 0, end: 10 },
  ];
  const [a, b] = (await w.xet(repo, [x, y], [whole, kept])) as [Sha256, Sha256];
  await w.commit(repo, lfs('whole', a), lfs('kept', b));
  await deleteLfsFiles(w.ctx, repo, [a], { rewriteHistory: true });
  await w.gc({ at: inDays(4) });
});
afterEach(() => w.close());

const terms = async () =>
  (await w.t.app.db.query('SELECT hash, terms FROM xet_file ORDER BY id')).rows as {
    hash: Buffer;
    terms: Buffer;
  }[];
const bytesKept = () => contentOf(kept);

describe('half-dead xorbs', () => {
  it('are copied into one: the file keeps its hash and its bytes, the old ones go when their pins have passed', async () => {
    const before = (await terms()).at(-1);
    const { result } = await w.gc({ at: inDays(6) });
    expect(result?.repackedXorbs).toBe(2);
    const after = await terms();
    expect(after).toHaveLength(1);
    expect(after[0]?.hash).toEqual(before?.hash);
    expect(after[0]?.terms).not.toEqual(before?.terms);
    expect(await w.count('xorb', `state = 'live'`)).toBe(3);
    expect(await w.count('xet_file_xorb')).toBe(1);
    expect(await w.holds(repo.id, bytesKept())).toBe(true);
    expect((await w.gc({ at: inDays(7) })).result?.repackedXorbs).toBe(0);
    await w.gc({ at: inDays(23) });
    await w.gc({ at: inDays(25) });
    expect(await w.count('xorb')).toBe(1);
    expect(await w.keys('xorb/')).toHaveLength(1);
    expect(await w.holds(repo.id, bytesKept())).toBe(true);
    expect(await w.problems()).toEqual([]);
  });

  it('a download that has begun goes on with the old ones', async () => {
    const sha256 = sha256Of(bytesKept());
    const found = (await findFiles(w.t.app.db, repo.id, [sha256])).get(sha256);
    if (found === undefined) throw new Error('not held');
    const stream = await openFile(w.t.app, found);
    const parts: Buffer[] = [];
    let isFirst = true;
    for await (const part of stream) {
      parts.push(Buffer.from(part as Buffer));
      if (isFirst) await w.gc({ at: inDays(23) });
      isFirst = false;
    }
    expect(Buffer.concat(parts).equals(bytesKept())).toBe(true);
    expect(await w.count('xorb', `state = 'condemned'`)).toBe(2);
  });

  it('a file that is registered with the old ones meanwhile keeps them alive', async () => {
    const late: BuiltTerm[] = [{ xorb: x, start: 0, end: 4 }];
    const { store } = w.t.app;
    const put = store.put;
    let isFirst = true;
    Object.assign(store, {
      put: async (...args: Parameters<typeof put>) => {
        await put(...args);
        if (isFirst && args[0].startsWith('xorb/')) {
          isFirst = false;
          await w.shard(repo, [x], [late]);
          await w.commit(repo, lfs('late', sha256Of(contentOf(late))));
        }
      },
    });
    expect((await w.gc({ at: inDays(6) })).result?.repackedXorbs).toBe(2);
    Object.assign(store, { put });
    await w.gc({ at: inDays(50) });
    await w.gc({ at: inDays(52) });
    expect(await w.holds(repo.id, contentOf(late))).toBe(true);
    expect(await w.holds(repo.id, bytesKept())).toBe(true);
    expect(await w.problems()).toEqual([]);
  });

  it('a damaged chunk is never copied: the file stays as it is, and the run goes on', async () => {
    const { rows } = await w.t.app.db.query<{ key: string }>(
      'SELECT o.key FROM xorb x JOIN stored_object o ON o.id = x.object_id ORDER BY x.id LIMIT 1',
    );
    const key = rows[0]?.key as string;
    const bytes = Buffer.from(x.body);
    bytes.fill(7, 300_100, 300_200);
    await w.t.app.store.delete([key]);
    await w.t.app.store.put(key, bytes, { sizeBytes: bytes.length });
    const before = (await terms()).at(-1);
    const outcome = await w.gc({ at: inDays(6) });
    expect(outcome).toMatchObject({ state: 'done', result: { repackedXorbs: 0 } });
    expect((await terms()).at(-1)?.terms).toEqual(before?.terms);
  });
});

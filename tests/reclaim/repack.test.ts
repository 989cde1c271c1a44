import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { openFile } from '#lib/repos/files/open-file.ts';
import type { Repo } from '#lib/repos/types.ts';
import { type BuiltTerm, contentOf } from '#tests/xet/build.ts';
import { type HalfDead, makeHalfDead, requireRepacked } from './half-dead.ts';
import { createWorld, inDays, lfs, sha256Of, type World } from './world.ts';

let w: World;
let repo: Repo;
let half: HalfDead;
beforeEach(async () => {
  w = await createWorld({ LARDER_GC_BRAKE_PERCENT: '100' });
  half = await makeHalfDead(w);
  repo = half.repo;
});
afterEach(() => w.close());

const terms = async () =>
  (await w.t.app.db.query('SELECT hash, terms FROM xet_file ORDER BY id')).rows as {
    hash: Buffer;
    terms: Buffer;
  }[];
const bytesKept = () => half.kept;

describe('half-dead xorbs', () => {
  it('are copied into one: the file keeps its hash and its bytes, the old ones go when their pins have passed', () =>
    requireRepacked(w, half));

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
    const late: BuiltTerm[] = [{ xorb: half.x, start: 0, end: 4 }];
    const { store } = w.t.app;
    const put = store.put;
    let isFirst = true;
    Object.assign(store, {
      put: async (...args: Parameters<typeof put>) => {
        await put(...args);
        if (isFirst && args[0].startsWith('xorb/')) {
          isFirst = false;
          await w.shard(repo, [half.x], [late]);
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
    const bytes = Buffer.from(half.x.body);
    bytes.fill(7, 300_100, 300_200);
    await w.t.app.store.delete([key]);
    await w.t.app.store.put(key, bytes, { sizeBytes: bytes.length });
    const before = (await terms()).at(-1);
    const outcome = await w.gc({ at: inDays(6) });
    expect(outcome).toMatchObject({ state: 'done', result: { repackedXorbs: 0 } });
    expect((await terms()).at(-1)?.terms).toEqual(before?.terms);
  });
});

import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ctx } from '#lib/identity/context.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { copyFiles } from '#lib/repos/files/copy-files.ts';
import { putBasic } from '#lib/repos/files/lfs/put-basic.ts';
import { domainOf } from '#lib/repos/files/xet/db.ts';
import { putShard } from '#lib/repos/files/xet/put-shard.ts';
import { putXorb } from '#lib/repos/files/xet/put-xorb.ts';
import { superSquash } from '#lib/repos/super-squash.ts';
import type { Repo } from '#lib/repos/types.ts';
import { file, header } from '#tests/repos/people.ts';
import { buildShard, buildXorb, contentOf } from '#tests/xet/build.ts';
import { createWorld, inDays, lfs, random, sha256Of, type World } from './world.ts';

let w: World;
let repo: Repo;
beforeEach(async () => {
  w = await createWorld({ LARDER_GC_BRAKE_PERCENT: '100' });
  repo = await w.repo('r');
});
afterEach(() => w.close());

/** Runs `act` when the run asks for pinned commits the nth time: 1 the plan, 2 the sweep's mark, 3 and on under the repo's lock. */
function atLook(nth: number, act: () => Promise<void>) {
  let looks = 0;
  return {
    pinned: async () => {
      if (++looks === nth) await act();
      return [];
    },
  };
}

/** History that nothing reaches: a commit with `d/a`, and a branch without it. */
async function leaveBehind(...operations: Parameters<World['commit']>[1][]): Promise<void> {
  await w.commit(repo, file('keep', 'keep'));
  await w.commit(repo, ...operations);
  for (const operation of operations) await w.commit(repo, { kind: 'deleteFile', path: operation.path });
  await superSquash(w.ctx, repo, 'main', 'one');
}

describe('a commit that makes again what is being taken', () => {
  it.each([
    [2, 'before the mark of the sweep'],
    [3, 'after it, waiting for the lock of the first batch'],
    [4, 'between the batches'],
  ])('at look %i, %s: it lands whole', async (nth) => {
    await leaveBehind(file('d/a', 'the same again'), file('d/b', 'and this'));
    let landed: Promise<unknown> = Promise.resolve();
    const act = async () => {
      landed = w.commit(repo, file('d/a', 'the same again'), file('d/b', 'and this'));
      landed.catch(() => {});
      await sleep(150);
    };
    const { state } = await w.gc({ isNow: true, at: inDays(40) }, atLook(nth, act));
    expect(state).toBe('done');
    await landed;
    expect(await landed).toHaveLength(40);
    expect(await w.problems()).toEqual([]);
    await w.gc({ isNow: true, at: inDays(80) });
    expect(await w.problems()).toEqual([]);
  });

  it('blobs that a large commit wrote early are missed when it lands, never after', async () => {
    const parts = Array.from({ length: 5 }, () => random(9_000_000));
    async function* operations() {
      for (const [i, bytes] of parts.entries())
        yield { kind: 'file' as const, path: `f${i}`, content: bytes };
      await leaveBehind(file('x', 'x')); // something that the sweep takes with them
      await w.gc({ isNow: true, at: inDays(40) });
      yield file('last', 'last');
    }
    const request = { revision: 'main', header: header('large'), operations: operations() };
    await expect(createCommit(w.ctx, repo, request)).rejects.toMatchObject({ code: 'busy' });
    expect(await w.problems()).toEqual([]);
  });

  it('with the grace they stay, and it lands', async () => {
    const parts = Array.from({ length: 5 }, () => random(9_000_000));
    async function* operations() {
      for (const [i, bytes] of parts.entries())
        yield { kind: 'file' as const, path: `f${i}`, content: bytes };
      await leaveBehind(file('x', 'x'));
      await w.t.app.db.query(
        `UPDATE git_object SET touched_at = now() - interval '90 days' WHERE kind = 1 OR size < 1000`,
      );
      await w.t.app.db.query(`UPDATE ref_update SET at = now() - interval '90 days'`);
      const { result } = await w.gc();
      expect(result?.freedGitObjects).toBeGreaterThan(0);
      yield file('last', 'last');
    }
    await createCommit(w.ctx, repo, { revision: 'main', header: header('large'), operations: operations() });
    expect(await w.problems()).toEqual([]);
  });
});

describe('an edge that is committed while it is being taken', () => {
  it.each([
    [1, 'during the plan'],
    [2, 'during the mark'],
    [3, 'under the lock'],
  ])('at look %i, %s: the commit is whole, or says that the file must be uploaded again', async (nth) => {
    const bytes = random(3000);
    const sha256 = await w.basic(repo, bytes);
    await leaveBehind(file('d/a', 'x')); // so that the repo is swept
    let landed: Promise<unknown> = Promise.resolve();
    const act = async () => {
      landed = w.commit(repo, lfs('big', sha256)).catch((error) => error);
      await sleep(100);
    };
    await w.gc({ isNow: true, at: inDays(40) }, atLook(nth, act));
    const outcome = await landed;
    expect(await w.problems()).toEqual([]);
    if (typeof outcome === 'string') expect(await w.holds(repo.id, bytes)).toBe(true);
    else expect(outcome).toMatchObject({ code: 'invalid_object' });
  });
});

describe('bytes', () => {
  /** The store, with something to do after a put or before a get. */
  const hooked = (hooks: { afterPut?: () => Promise<void>; beforeGet?: () => Promise<void> }): Ctx => {
    const { store } = w.t.app;
    return {
      ...w.ctx,
      store: {
        ...store,
        put: async (...args: Parameters<typeof store.put>) => {
          await store.put(...args);
          await hooks.afterPut?.();
        },
        pieces: async (...args: Parameters<typeof store.pieces>) => {
          await hooks.beforeGet?.();
          return store.pieces(...args);
        },
        fill: async (...args: Parameters<typeof store.fill>) => {
          await hooks.beforeGet?.();
          return store.fill(...args);
        },
      },
    };
  };

  it('an object that is stored but not linked yet when the store is listed is refused, not linked to nothing', async () => {
    const bytes = random(2000);
    const grant = { repoId: repo.id, userId: w.alice.id, sha256: sha256Of(bytes), sizeBytes: bytes.length };
    const ctx = hooked({ afterPut: async () => void (await w.gc({ isNow: true, at: inDays(1) })) });
    await expect(putBasic(ctx, grant, Readable.from([bytes]))).rejects.toMatchObject({ code: 'busy' });
    expect(await w.read(repo.id, grant.sha256)).toBeNull();
    await w.basic(repo, bytes);
    await w.commit(repo, lfs('x', grant.sha256));
    await w.gc({ isNow: true, at: inDays(1) });
    expect(await w.holds(repo.id, bytes)).toBe(true);
    expect(await w.problems()).toEqual([]);
  });

  it('a xorb that is stored but not recorded yet when the store is listed: the same', async () => {
    const x = buildXorb([random(2000)]);
    const { id: domainId, epoch } = await domainOf(w.t.app.db, repo.namespaceId);
    const grant = { repoId: repo.id, domainId, epoch, scope: 'write' as const, who: null };
    const upload = { hash: x.hash, body: Readable.from([x.body]), sizeBytes: x.body.length };
    const ctx = hooked({ afterPut: async () => void (await w.gc({ isNow: true, at: inDays(1) })) });
    await expect(putXorb(ctx, grant, upload, ctx.signal)).rejects.toMatchObject({ code: 'busy' });
    expect(await w.count('xorb')).toBe(0);
    await w.xet(repo, [x], [[{ xorb: x, start: 0, end: 1 }]]);
    expect(await w.problems()).toEqual([]);
  });

  it('a shard that names a xorb which is condemned while its file is verified is refused; after sending it again all is well', async () => {
    const x = buildXorb([random(2000), random(3000)]);
    await w.xorb(repo, x);
    const { id: domainId, epoch } = await domainOf(w.t.app.db, repo.namespaceId);
    const who = { userId: w.alice.id } as never;
    const grant = { repoId: repo.id, domainId, epoch, scope: 'write' as const, who };
    const terms = [{ xorb: x, start: 0, end: 2 }];
    let isFirst = true;
    const beforeGet = async () => {
      if (isFirst) await w.gc({ at: inDays(23) });
      isFirst = false;
    };
    const body = buildShard([terms], [x]);
    const send = () => putShard(hooked({ beforeGet }), grant, body, w.ctx.signal);
    await expect(send()).rejects.toMatchObject({ code: 'busy' });
    expect(await w.count('xorb', `state = 'condemned'`)).toBe(1);
    await w.xorb(repo, x);
    await send();
    await w.commit(repo, lfs('x', sha256Of(contentOf(terms))));
    await w.gc({ at: inDays(26) });
    expect(await w.holds(repo.id, contentOf(terms))).toBe(true);
    expect(await w.problems()).toEqual([]);
  });

  it('a doomed file that is uploaded again, or copied from, is doomed no more', async () => {
    const x = buildXorb([random(2000)]);
    const terms = [{ xorb: x, start: 0, end: 1 }];
    const [sha256] = await w.xet(repo, [x], [terms]);
    await w.gc({ at: inDays(4) });
    expect(await w.count('xet_file', 'doomed_at IS NOT NULL')).toBe(1);
    expect(await w.read(repo.id, sha256 as never)).toBeNull();
    await w.shard(repo, [x], [terms]);
    expect(await w.count('xet_file', 'doomed_at IS NOT NULL')).toBe(0);
    await w.commit(repo, lfs('x', sha256 as never));
    await w.gc({ at: inDays(6) });
    const other = await w.repo('other');
    expect(await copyFiles(w.ctx, repo, other, [{ sha256: sha256 as never }])).toEqual({ failed: [] });
    await w.gc({ at: inDays(8) });
    expect(await w.holds(repo.id, x.chunks[0] as Buffer)).toBe(true);
    expect(await w.problems()).toEqual([]);
  });

  it('a row that is on the list and locked when somebody registers it again: the registration writes its own', async () => {
    const x = buildXorb([random(2000)]);
    const terms = [{ xorb: x, start: 0, end: 1 }];
    await w.xet(repo, [x], [terms]);
    await w.gc({ at: inDays(4) });
    const held = await w.t.app.db.connect();
    await held.query('BEGIN');
    await held.query('DELETE FROM xet_file_xorb');
    await held.query('UPDATE repo_file SET xet_file_id = NULL WHERE false');
    await held.query('DELETE FROM xet_file'); // what deleteDoomedFiles does, before its COMMIT
    const again = w.shard(repo, [x], [terms]);
    await sleep(200);
    await held.query('COMMIT');
    held.release();
    await again;
    expect(await w.holds(repo.id, x.chunks[0] as Buffer)).toBe(true);
    expect(await w.problems()).toEqual([]);
  });
});

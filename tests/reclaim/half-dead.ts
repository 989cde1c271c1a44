import { expect } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import { deleteLfsFiles } from '#lib/repos/delete-lfs-files.ts';
import type { Repo } from '#lib/repos/types.ts';
import { type BuiltTerm, type BuiltXorb, buildXorb, contentOf } from '#tests/xet/build.ts';
import { inDays, lfs, random, type World } from './world.ts';

export interface HalfDead {
  readonly repo: Repo;
  readonly x: BuiltXorb;
  /** A file over two chunks of x and one of another xorb; the rest of both is of a file that was deleted. */
  readonly kept: Buffer;
}

/** Two xorbs of which a file uses little. */
export async function makeHalfDead(w: World): Promise<HalfDead> {
  const repo = await w.repo('r');
  const x = buildXorb(Array.from({ length: 10 }, () => random(100_000)));
  const y = buildXorb(Array.from({ length: 10 }, () => random(90_000)));
  const kept: BuiltTerm[] = [
    { xorb: x, start: 3, end: 5 },
    { xorb: y, start: 9, end: 10 },
    { xorb: x, start: 4, end: 5 },
  ];
  const whole: BuiltTerm[] = [
    { xorb: x, start: 0, end: 10 },
    { xorb: y, start: 0, end: 10 },
  ];
  const [a, b] = (await w.xet(repo, [x, y], [whole, kept])) as [Sha256, Sha256];
  await w.commit(repo, lfs('whole', a), lfs('kept', b));
  await deleteLfsFiles(w.ctx, repo, [a], { rewriteHistory: true });
  await w.gc({ at: inDays(4) });
  return { repo, x, kept: contentOf(kept) };
}

const filesOf = async (w: World) =>
  (await w.t.app.db.query<{ hash: Buffer; terms: Buffer }>('SELECT hash, terms FROM xet_file ORDER BY id'))
    .rows;

/** Repacks, lets the pins of the old xorbs pass and the two phases of their deletion: one xorb is left, and the file. */
export async function requireRepacked(w: World, { repo, kept }: HalfDead): Promise<void> {
  const before = (await filesOf(w)).at(-1);
  expect((await w.gc({ at: inDays(6) })).result?.repackedXorbs).toBe(2);
  const after = await filesOf(w);
  expect(after).toHaveLength(1);
  expect(after[0]?.hash).toEqual(before?.hash);
  expect(after[0]?.terms).not.toEqual(before?.terms);
  expect(await w.count('xorb', `state = 'live'`)).toBe(3);
  expect(await w.count('xet_file_xorb')).toBe(1);
  expect(await w.holds(repo.id, kept)).toBe(true);
  expect((await w.gc({ at: inDays(7) })).result?.repackedXorbs).toBe(0);
  await w.gc({ at: inDays(23) });
  expect(await w.count('xorb', `state = 'condemned'`)).toBe(2);
  expect(await w.keys('xorb/')).toHaveLength(3);
  await w.gc({ at: inDays(25) });
  expect(await w.count('xorb')).toBe(1);
  expect(await w.keys('xorb/')).toHaveLength(1);
  expect(await w.holds(repo.id, kept)).toBe(true);
  expect(await w.problems()).toEqual([]);
}

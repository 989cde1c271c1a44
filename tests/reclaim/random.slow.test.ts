import { afterAll, beforeAll, describe, it } from 'vitest';
import { seedsAsked } from '#tests/faults/nemesis.ts';
import { RandomActs } from './random-acts.ts';
import { ENV, playHistory } from './random-history.ts';
import { createWorld, type World } from './world.ts';

let w: World;
let acts: RandomActs;
beforeAll(async () => {
  w = await createWorld(ENV);
  acts = new RandomActs(w);
});
afterAll(() => w.close());

describe('random uploads, commits, squashes, reverts, restores, copies and deletions while garbage is collected without any grace', () => {
  it.each(seedsAsked('1-40'))(
    'seed %i: nothing reachable is lost, and in the end nothing is left',
    (seed) => playHistory(w, acts, seed),
    120_000,
  );
});

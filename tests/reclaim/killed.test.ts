import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AT, createLittered, expectKept, killAt, type Littered } from './littered.ts';

let littered: Littered;
beforeEach(async () => {
  littered = await createLittered();
});
afterEach(() => littered.w.close());

describe('garbage collection', () => {
  // all points: killed.slow.test.ts
  it('killed in each of its phases loses nothing; the next run takes all that is left', async () => {
    await killAt(littered, ['reclaim.heads-taken', 'reclaim.repacking', 'reclaim.xorbs-released']);
  });

  it('two at once: one works, the other says so and does nothing', async () => {
    const { w } = littered;
    const run = () => w.gc({ at: new Date(AT), isNow: true });
    const outcomes = await Promise.all([run(), run()]);
    expect(outcomes.map(({ state }) => state).sort()).toEqual(['done', 'refused']);
    await expectKept(littered);
    expect(await w.keys()).toHaveLength(2);
  });
});

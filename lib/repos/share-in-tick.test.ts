import { describe, expect, test } from 'vitest';
import { shareInTick } from './share-in-tick.ts';

describe('sharing one piece of work among those who ask in the same turn', () => {
  test('who asks for the same before it begins shares it; who asks after it began gets work of their own', async () => {
    const owner = {};
    let runs = 0;
    let open = () => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const work = async () => {
      const run = ++runs;
      await gate;
      return run;
    };
    const first = shareInTick(owner, 'a', work);
    const second = shareInTick(owner, 'a', work);
    const other = shareInTick(owner, 'b', work);
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    const late = shareInTick(owner, 'a', work);
    open();
    expect([await first, await second, await other, await late]).toEqual([1, 1, 2, 3]);
  });

  test('a failure reaches everyone and is not kept', async () => {
    const owner = {};
    const fail = () => Promise.reject(new Error('no'));
    const asked = [shareInTick(owner, 'a', fail), shareInTick(owner, 'a', fail)];
    for (const one of asked) await expect(one).rejects.toThrow('no');
    expect(await shareInTick(owner, 'a', async () => 7)).toBe(7);
  });
});

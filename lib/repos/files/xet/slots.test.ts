import { describe, expect, test } from 'vitest';
import { createSlots } from './slots.ts';

const never = new AbortController().signal;
const gate = () => {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
};

describe('slots', () => {
  test('never more than the limit run at once, and all of those who wait get their turn', async () => {
    const slots = createSlots({ limit: 3, maxWaiting: 100, maxWaitMs: 10_000, what: 'tests' });
    let running = 0;
    let most = 0;
    const work = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
    };
    await Promise.all(Array.from({ length: 40 }, () => slots.use(work, never)));
    expect(most).toBe(3);
  });

  test('a failure frees its slot', async () => {
    const slots = createSlots({ limit: 1, maxWaiting: 1, maxWaitMs: 10_000, what: 'tests' });
    await expect(slots.use(() => Promise.reject(new Error('no')), never)).rejects.toThrow('no');
    expect(await slots.use(async () => 7, never)).toBe(7);
  });

  test('a full queue and a long wait are overloaded; who goes away gives up the place', async () => {
    const slots = createSlots({ limit: 1, maxWaiting: 1, maxWaitMs: 30, what: 'tests' });
    const { open, passed } = gate();
    const first = slots.use(() => passed, never);
    const second = slots.use(async () => 2, never);
    await expect(slots.use(async () => 3, never)).rejects.toMatchObject({ code: 'overloaded' });
    await expect(second).rejects.toMatchObject({ code: 'overloaded' });
    const leaving = new AbortController();
    const third = slots.use(async () => 3, leaving.signal);
    leaving.abort(new Error('gone'));
    await expect(third).rejects.toThrow('gone');
    open();
    await first;
    expect(await slots.use(async () => 4, never)).toBe(4);
  });

  test('a held slot is freed once, however often it is given back', async () => {
    const slots = createSlots({ limit: 1, maxWaiting: 1, maxWaitMs: 30, what: 'tests' });
    const release = await slots.hold(never);
    await expect(slots.hold(never)).rejects.toMatchObject({ code: 'overloaded' });
    release();
    release();
    const again = await slots.hold(never);
    await expect(slots.hold(never)).rejects.toMatchObject({ code: 'overloaded' });
    again();
  });
});

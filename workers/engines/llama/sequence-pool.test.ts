import { describe, expect, it } from 'vitest';
import { SequencePool } from './sequence-pool.ts';

const seq = (...contextTokens: number[]) => ({ contextTokens });
const never = new AbortController().signal;

describe('SequencePool', () => {
  it('prefers the sequence that shares the longest beginning with the prompt', async () => {
    const warm = seq(1, 2, 3);
    const pool = new SequencePool<number, ReturnType<typeof seq>>([seq(9), warm, seq(1)], 1);
    expect(await pool.acquire([1, 2, 4], never)).toBe(warm);
  });

  it('serves waiting requests in order and refuses those beyond the line', async () => {
    const only = seq();
    const pool = new SequencePool<number, ReturnType<typeof seq>>([only], 2);
    await pool.acquire([], never);
    const order: string[] = [];
    const a = pool.acquire([], never).then(() => order.push('a'));
    const b = pool.acquire([], never).then(() => order.push('b'));
    await expect(pool.acquire([], never)).rejects.toMatchObject({ status: 503, retryAfterSeconds: 2 });
    pool.release(only);
    await a;
    pool.release(only);
    await b;
    expect(order).toEqual(['a', 'b']);
  });

  it('an aborted request leaves the line and takes nothing with it', async () => {
    const only = seq();
    const pool = new SequencePool<number, ReturnType<typeof seq>>([only], 2);
    await pool.acquire([], never);
    const gone = new AbortController();
    const waiting = pool.acquire([], gone.signal);
    gone.abort(new Error('gone'));
    await expect(waiting).rejects.toThrow('gone');
    pool.release(only);
    expect(await pool.acquire([], never)).toBe(only);
  });
});

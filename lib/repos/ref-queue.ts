import type { Db } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';

/** More commits than this waiting for one ref in one process are sent away. */
const MAX_WAITING = 200;

interface Line {
  tail: Promise<unknown>;
  waiting: number;
}

const lines = new WeakMap<Db, Map<string, Line>>();

/**
 * Runs the commits that this process makes to one ref one after another, so that those who wait hold no database
 * connection. It is a courtesy to the pool, not a lock: other processes commit to the same ref, and its row
 * decides. Throws busy when too many wait.
 */
export async function inRefOrder<T>(db: Db, key: string, work: () => Promise<T>): Promise<T> {
  const queue = lines.get(db) ?? new Map<string, Line>();
  lines.set(db, queue);
  const line = queue.get(key) ?? { tail: Promise.resolve(), waiting: 0 };
  if (line.waiting >= MAX_WAITING)
    throw hubError('busy', 'Too many commits to this branch at once; try again');
  queue.set(key, line);
  line.waiting++;
  const result = line.tail.then(work);
  line.tail = result.catch(() => {}); // the next in line does not care how this one ended
  try {
    return await result;
  } finally {
    if (--line.waiting === 0) queue.delete(key);
  }
}

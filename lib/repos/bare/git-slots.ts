import type { Db } from '#lib/base/db.ts';
import type { App } from '#lib/identity/context.ts';
import { createSlots, type Slots } from '../files/xet/slots.ts';

const slots = new WeakMap<Db, Slots>();

/** How many fetches and pushes a process serves at a time (LARDER_GIT_PROCESSES); some wait, the rest come back later. */
export function gitSlots(app: Pick<App, 'db' | 'config'>): Slots {
  const own =
    slots.get(app.db) ??
    createSlots({
      limit: app.config.LARDER_GIT_PROCESSES,
      maxWaiting: 20 * app.config.LARDER_GIT_PROCESSES,
      maxWaitMs: 60_000,
      what: 'git operations',
    });
  slots.set(app.db, own);
  return own;
}

import type { App } from '#lib/identity/context.ts';
import { epochOf } from './db.ts';

const TTL_MS = 10_000;
const MAX_REMEMBERED = 10_000;

const remembered = new WeakMap<object, Map<number, { epoch: number | null; untilMs: number }>>();

/** The domain's epoch as of at most 10 s ago; null when there is no such domain. Remembers 10,000 domains. */
export async function currentEpoch(app: Pick<App, 'db' | 'clock'>, domainId: number): Promise<number | null> {
  let epochs = remembered.get(app.db);
  if (epochs === undefined) remembered.set(app.db, (epochs = new Map()));
  const nowMs = app.clock.now();
  const known = epochs.get(domainId);
  if (known !== undefined && known.untilMs > nowMs) return known.epoch;
  const epoch = await epochOf(app.db, domainId);
  epochs.delete(domainId);
  epochs.set(domainId, { epoch, untilMs: nowMs + TTL_MS });
  if (epochs.size > MAX_REMEMBERED) epochs.delete(epochs.keys().next().value as number);
  return epoch;
}

import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { App } from '#lib/identity/context.ts';
import { defineJob } from '#lib/jobs/define.ts';
import { EXAMINED_COLUMNS, examineBytes, type ObjectToExamine } from './examine-object.ts';
import { markLost } from './mark-lost.ts';

/** Reads stored bytes again and compares them with their hashes; runs on a schedule. */
export const scrubJob = defineJob({
  name: 'files.scrub',
  schema: z.object({}),
  retryLimit: 0,
  expireSeconds: 1800,
});

/** What one run has done. */
export interface Scrubbed {
  readonly objects: number;
  readonly bytes: number;
  readonly damaged: readonly string[];
}

/** One run; the schedule begins the next soon after. */
const RUN_MS = 10 * 60_000;
const BATCH = 50;
/** Objects younger than this were hashed on their way in. */
const AGE = `interval '1 day'`;

/** Those never looked at again first, then those looked at longest ago. Plan: stored_object_scrubbed_at_idx. */
const NEXT = `SELECT ${EXAMINED_COLUMNS} FROM stored_object o
  WHERE o.state = 'live' AND (o.scrubbed_at IS NULL OR o.scrubbed_at < now() - $1 * ${AGE})
    AND o.created_at < now() - $1 * ${AGE}
  ORDER BY o.scrubbed_at NULLS FIRST, o.id LIMIT ${BATCH}`;

/**
 * Looks at one object. What seems damaged is read a second time before it is given up: a broken connection or a
 * lying cache is not a broken disk. True when it was taken out of use.
 */
async function scrubOne(app: App, object: ObjectToExamine, signal: AbortSignal): Promise<boolean> {
  let damage = await examineBytes(app, object, signal);
  if (damage !== null) damage = await examineBytes(app, object, signal);
  await app.db.query('UPDATE stored_object SET scrubbed_at = now() WHERE id = $1', [object.id]);
  if (damage === null || !(await markLost(app, object.id, damage))) return false;
  app.log.error(
    { key: object.key, damage },
    'a stored object is missing or damaged: it is out of use until somebody uploads it again (npm run check)',
  );
  return true;
}

/**
 * Handler of scrubJob: reads objects, those that were not looked at for longest first, at LARDER_SCRUB_BYTES_PER_SECOND on
 * average, for at most ten minutes; ends sooner when all were looked at within `minAgeDays`. Damaged ones are taken out of use
 * (markLost) and named in the log. When the store does not answer it stops: that says nothing about objects.
 */
export async function scrubObjects(
  app: App,
  signal: AbortSignal,
  { runMs = RUN_MS, minAgeDays = 1 }: { runMs?: number; minAgeDays?: number } = {},
): Promise<Scrubbed> {
  const rate = app.config.LARDER_SCRUB_BYTES_PER_SECOND;
  const damaged: string[] = [];
  let [objects, bytes] = [0, 0];
  if (rate === 0) return { objects, bytes, damaged };
  const startedAt = performance.now();
  const spentMs = () => performance.now() - startedAt;
  for (;;) {
    const { rows } = await app.db.query<ObjectToExamine>(NEXT, [minAgeDays]);
    for (const object of rows) {
      if (signal.aborted || spentMs() > runMs) return { objects, bytes, damaged };
      if (await scrubOne(app, object, signal)) damaged.push(object.key);
      objects++;
      bytes += object.size_bytes;
      const aheadMs = (bytes / rate) * 1000 - spentMs();
      if (aheadMs > 0) await sleep(Math.min(aheadMs, Math.max(0, runMs - spentMs())), undefined, { signal });
    }
    if (rows.length < BATCH) return { objects, bytes, damaged };
  }
}

import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Db } from '#lib/base/db.ts';
import type { Usage } from './db.ts';

interface Meter {
  /** This process, in this life: counters of one source only ever grow. */
  readonly source: string;
  readonly counts: Map<string, { -readonly [K in keyof Usage]: number }>;
  readonly dirty: Set<string>;
  timer: NodeJS.Timeout | null;
}

const FLUSH_MS = 5_000;
const meters = new WeakMap<Db, Meter>();

/**
 * Counts one answered request of an endpoint. Written to Postgres within 5 s as this process's running totals; a
 * process that is killed loses at most what it counted since, and nothing is ever counted twice.
 */
export function countUsage(db: Db, endpointId: string, add: Usage): void {
  let meter = meters.get(db);
  if (meter === undefined) {
    const source = `${hostname()}:${process.pid}:${randomBytes(4).toString('hex')}`;
    meter = { source, counts: new Map(), dirty: new Set(), timer: null };
    meters.set(db, meter);
  }
  const total = meter.counts.get(endpointId) ?? {
    requests: 0,
    errors: 0,
    promptTokens: 0,
    completionTokens: 0,
  };
  total.requests += add.requests;
  total.errors += add.errors;
  total.promptTokens += add.promptTokens;
  total.completionTokens += add.completionTokens;
  meter.counts.set(endpointId, total);
  meter.dirty.add(endpointId);
  if (meter.timer) return;
  meter.timer = setTimeout(() => void flushUsage(db).catch(() => {}), FLUSH_MS);
  meter.timer.unref();
}

/** Writes what was counted and not yet written; call it before the pool is closed. Flushing twice changes nothing. */
export async function flushUsage(db: Db): Promise<void> {
  const meter = meters.get(db);
  if (meter === undefined) return;
  if (meter.timer) clearTimeout(meter.timer);
  meter.timer = null;
  const ids = [...meter.dirty];
  meter.dirty.clear();
  try {
    for (const id of ids) await write(db, id, meter.source, meter.counts.get(id));
  } catch (error) {
    for (const id of ids) meter.dirty.add(id); // totals: the next flush makes up for this one
    throw error;
  }
}

async function write(db: Db, endpointId: string, source: string, total: Usage | undefined): Promise<void> {
  if (total === undefined) return;
  await db.query(
    `INSERT INTO usage_counter AS u (endpoint_id, source, requests, errors, prompt_tokens, completion_tokens)
     VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (endpoint_id, source) DO UPDATE SET
       requests = GREATEST(u.requests, EXCLUDED.requests), errors = GREATEST(u.errors, EXCLUDED.errors),
       prompt_tokens = GREATEST(u.prompt_tokens, EXCLUDED.prompt_tokens),
       completion_tokens = GREATEST(u.completion_tokens, EXCLUDED.completion_tokens), updated_at = now()`,
    [endpointId, source, total.requests, total.errors, total.promptTokens, total.completionTokens],
  );
}

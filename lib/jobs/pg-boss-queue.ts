import { randomUUID } from 'node:crypto';
import { PgBoss } from 'pg-boss';
import type { Db, Queryable } from '#lib/base/db.ts';
import type { JobDefinition } from './define.ts';
import type { JobQueue } from './queue.ts';

/** Schema of pg-boss's own tables; it migrates them itself. */
export const JOB_SCHEMA = 'pgboss';
/** A worker that misses heartbeats this long is taken for dead and its job given to another. */
const HEARTBEAT_SECONDS = 15;
const MAX_RETRY_DELAY_SECONDS = 600;
const DEAD_LETTER_DAYS = 90;

/** Queue that keeps what failed for good, with its payload and last error. */
export function deadLetterOf(jobName: string): string {
  return `${jobName}.dead`;
}

/**
 * Creates the queue of a job and its dead-letter queue, or brings their limits up to date. "short" means at most
 * one waiting job per key; a started one does not swallow, since it may have read the state before the change.
 */
export async function ensureQueue(boss: PgBoss, job: JobDefinition<never>): Promise<void> {
  const dead = deadLetterOf(job.name);
  const limits = {
    retryLimit: job.retryLimit,
    retryDelay: 1,
    retryBackoff: true,
    retryDelayMax: MAX_RETRY_DELAY_SECONDS,
    expireInSeconds: job.expireSeconds,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    deadLetter: dead,
    notify: true,
  };
  await boss.createQueue(dead, { retentionSeconds: DEAD_LETTER_DAYS * 86_400 });
  await boss.createQueue(job.name, { ...limits, policy: 'short' });
  await boss.updateQueue(job.name, limits);
}

/**
 * The queue of one process for sending. Opens its own two connections at the first job, so that a process that
 * sends none costs nothing, and a caller's transaction never waits for its own pool.
 */
export async function createQueue(_db: Db, url: string): Promise<JobQueue> {
  const boss = new PgBoss({
    connectionString: url,
    schema: JOB_SCHEMA,
    max: 2,
    application_name: 'larder queue',
    supervise: false,
    schedule: false,
    registerInstance: false,
  });
  boss.on('error', () => {}); // every call reports its own failure to its caller
  const known = new Map<string, Promise<void>>();
  let started: Promise<unknown> | undefined;

  function ready(job: JobDefinition<never>): Promise<void> {
    let made = known.get(job.name);
    if (!made) {
      started ??= boss.start().catch((error) => {
        started = undefined;
        throw error;
      });
      made = started.then(() => ensureQueue(boss, job));
      made.catch(() => known.delete(job.name));
      known.set(job.name, made);
    }
    return made;
  }

  return {
    async enqueue(tx, job, data, options = {}) {
      await ready(job as JobDefinition<never>);
      const db = { executeSql: (text: string, values?: unknown[]) => tx.query(text, values) };
      const payload = job.schema.parse(data) as object;
      const startAfter = options.startAfterSeconds ?? 0;
      const singletonKey = options.key ?? randomUUID();
      for (;;) {
        if (await boss.send(job.name, payload, { singletonKey, startAfter, db })) return;
        if (await holdWaiting(tx, job.name, singletonKey)) return;
      }
    },
    async close() {
      if (started) await boss.stop({ graceful: false, close: true });
    },
  };
}

/**
 * Locks the waiting job that swallowed ours until the caller's transaction ends. Without the lock a worker could
 * run it before our change is visible, and the change would never be worked on. False if it is gone already.
 */
async function holdWaiting(tx: Queryable, name: string, key: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `SELECT 1 FROM ${JOB_SCHEMA}.job WHERE name = $1 AND singleton_key = $2 AND state = 'created' FOR SHARE`,
    [name, key],
  );
  return rowCount === 1;
}

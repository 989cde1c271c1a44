import { PgBoss } from 'pg-boss';
import type { Config } from '#lib/base/config.ts';
import type { Log } from '#lib/base/log.ts';
import type { JobDefinition } from './define.ts';
import { ensureQueue, JOB_SCHEMA } from './pg-boss-queue.ts';

/** What to do for one kind of job; made by handleJob. */
export interface JobHandler<A> {
  readonly job: JobDefinition<never>;
  readonly cron: string | undefined;
  run(app: A, data: unknown, signal: AbortSignal): Promise<void>;
}

export interface RunningJobs {
  /** Takes no more jobs, waits up to 30 s for those at work, then hands the rest to other workers. */
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 30_000;
const CONCURRENCY = 2;

/**
 * Ties a job to its handler. The payload is validated before the handler sees it. The handler must bear being run
 * twice, and end soon after `signal` aborts. `cron` also starts it on a schedule (UTC), with `{}` as payload.
 */
export function handleJob<A, T>(
  job: JobDefinition<T>,
  run: (app: A, data: T, signal: AbortSignal) => Promise<void>,
  options: { cron?: string } = {},
): JobHandler<A> {
  return {
    job: job as unknown as JobDefinition<never>,
    cron: options.cron,
    run: async (app, data, signal) => run(app, job.schema.parse(data), signal),
  };
}

/**
 * Works on jobs until stop(). A new job is noticed at once (NOTIFY) and at the latest after a second. A handler
 * that throws is retried with exponential backoff, then dead-lettered; a job whose worker dies is given to
 * another within a minute.
 */
export async function runJobs<A extends { readonly config: Config; readonly log: Log }>(
  app: A,
  handlers: readonly JobHandler<A>[],
): Promise<RunningJobs> {
  const boss = new PgBoss({
    connectionString: app.config.DATABASE_URL,
    schema: JOB_SCHEMA,
    max: 4,
    application_name: 'larder jobs',
    useListenNotify: true,
    superviseIntervalSeconds: 10,
    monitorIntervalSeconds: 10,
  });
  boss.on('error', (error) => app.log.warn({ err: error }, 'job queue'));
  await boss.start();
  for (const handler of handlers) await work(boss, app, handler);
  return { stop: () => boss.stop({ graceful: true, close: true, timeout: STOP_TIMEOUT_MS }) };
}

async function work<A extends { readonly log: Log }>(
  boss: PgBoss,
  app: A,
  handler: JobHandler<A>,
): Promise<void> {
  const { job, cron } = handler;
  await ensureQueue(boss, job);
  if (cron !== undefined) await boss.schedule(job.name, cron, {}, { tz: 'UTC', singletonKey: 'cron' });
  const options = {
    localConcurrency: CONCURRENCY,
    pollingIntervalSeconds: 1,
    notifyPollingIntervalSeconds: 1,
  };
  await boss.work(job.name, options, async (batch) => {
    for (const { id, data, signal, retryCount } of batch) {
      try {
        await handler.run(app, data, signal);
      } catch (error) {
        app.log.warn({ err: error, job: job.name, jobId: id, attempt: retryCount + 1 }, 'job failed');
        throw error;
      }
    }
  });
}

import type { z } from 'zod';

/**
 * A job as its sender sees it: name, shape and limits. The handler is elsewhere (workers/jobs), so that
 * enqueueing pulls in nothing of what the work needs. Jobs run at least once; handlers must bear being run twice.
 */
export interface JobDefinition<T> {
  readonly name: string;
  readonly schema: z.ZodType<T>;
  /** Attempts after the first before the job is dead-lettered. */
  readonly retryLimit: number;
  /** A worker that does not finish within this time loses the job to another. */
  readonly expireSeconds: number;
}

/** Declares a job. Defaults: 5 retries, 15 minutes. */
export function defineJob<T>(definition: {
  name: string;
  schema: z.ZodType<T>;
  retryLimit?: number;
  expireSeconds?: number;
}): JobDefinition<T> {
  return { retryLimit: 5, expireSeconds: 900, ...definition };
}

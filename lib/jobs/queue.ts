import type { Queryable } from '#lib/base/db.ts';
import type { JobDefinition } from './define.ts';

/** The port through which domain code causes later work. The one adapter is pg-boss (lib/jobs/pg-boss-queue.ts). */
export interface JobQueue {
  /**
   * Adds a job inside the caller's transaction: it exists if and only if that transaction commits.
   * With `key`, a job of this name and key that still waits swallows the new one.
   */
  enqueue<T>(
    tx: Queryable,
    job: JobDefinition<T>,
    data: T,
    options?: { key?: string; startAfterSeconds?: number },
  ): Promise<void>;
  close(): Promise<void>;
}

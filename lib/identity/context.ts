import type { Clock } from '#lib/base/clock.ts';
import type { Config } from '#lib/base/config.ts';
import type { Db } from '#lib/base/db.ts';
import type { Log } from '#lib/base/log.ts';
import type { PrismaClient } from '#lib/base/prisma/client.ts';
import type { JobQueue } from '#lib/jobs/queue.ts';
import type { ObjectStore } from '#lib/storage/object-store.ts';
import type { Principal } from './principal.ts';

/** What one process has: made once by createApp, frozen. */
export interface App {
  readonly config: Config;
  /** The pool: hot reads, bulk writes and every transaction (docs/decisions/0002). */
  readonly db: Db;
  /** The client over the same pool: typed reads and single-statement writes. */
  readonly prisma: PrismaClient;
  readonly store: ObjectStore;
  readonly queue: JobQueue;
  readonly clock: Clock;
  readonly log: Log;
  /** 32 bytes; sign with keyFor(app, purpose) only (lib/identity/signing.ts). */
  readonly rootKey: Buffer;
}

/** The first argument of every use case: the process plus who asks and from where. Frozen. */
export interface Ctx extends App {
  readonly principal: Principal;
  readonly requestId: string;
  readonly ip: string | null;
  /** Aborts when the client goes away or the deadline passes. */
  readonly signal: AbortSignal;
  /** Base of all links in the answer, without a trailing slash: http://localhost:3000 */
  readonly publicUrl: string;
  /** A repo asked for by a name it had before is answered with `moved`; without it, it is served under that name. */
  readonly redirectsMoved?: boolean;
}

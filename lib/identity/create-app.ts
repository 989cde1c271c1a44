import { PrismaPg } from '@prisma/adapter-pg';
import { systemClock } from '#lib/base/clock.ts';
import type { Config } from '#lib/base/config.ts';
import { createDb } from '#lib/base/db.ts';
import { expectBuffers } from '#lib/base/free-buffers.ts';
import { createLog } from '#lib/base/log.ts';
import { PrismaClient } from '#lib/base/prisma/client.ts';
import { createQueue } from '#lib/jobs/pg-boss-queue.ts';
import { createStore } from '#lib/storage/create-store.ts';
import type { App } from './context.ts';
import { rootKey } from './root-key.ts';

/**
 * Makes what one process works with: the pool, the client over the same pool, store, queue, log and keys. The
 * database must be migrated. Throws, with everything closed again, when Postgres does not answer or the store refuses
 * us. A store that is away is waited for by programs that say so: most of what they do needs no bytes.
 */
export async function createApp(options: {
  config: Config;
  program: string;
  waitsForStore?: boolean;
}): Promise<App> {
  const { config, program, waitsForStore } = options;
  expectBuffers();
  const log = createLog({ level: config.LOG_LEVEL, program });
  const db = createDb({
    url: config.DATABASE_URL,
    maxConnections: config.DATABASE_POOL,
    applicationName: `larder ${program}`,
  });
  try {
    return Object.freeze({
      config,
      db,
      prisma: new PrismaClient({ adapter: new PrismaPg(db, { disposeExternalPool: false }) }),
      rootKey: await rootKey(db, config),
      store: await createStore(config, waitsForStore ? log : undefined),
      queue: await createQueue(db, config.DATABASE_URL),
      clock: systemClock,
      log,
    });
  } catch (error) {
    await db.end();
    throw error;
  }
}

/** Closes what createApp opened, in the order in which the parts use each other. Call once, when no request runs. */
export async function closeApp(app: App): Promise<void> {
  await app.queue.close();
  await app.store.close();
  await app.prisma.$disconnect();
  await app.db.end();
}

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { type Clock, systemClock } from '#lib/base/clock.ts';
import { loadConfig } from '#lib/base/config.ts';
import { createDb } from '#lib/base/db.ts';
import { createLog } from '#lib/base/log.ts';
import { PrismaClient } from '#lib/base/prisma/client.ts';
import type { App, Ctx } from '#lib/identity/context.ts';
import { ANONYMOUS, type Principal } from '#lib/identity/principal.ts';
import { createQueue } from '#lib/jobs/pg-boss-queue.ts';
import { createStore } from '#lib/storage/create-store.ts';
import { createTestDatabase } from './database.ts';

export interface TestApp {
  app: App;
  databaseUrl: string;
  /** Folder of the local store; removed by close(). */
  dataDir: string;
  /** A context as a request of `principal` would have it. */
  ctxFor(principal?: Principal, more?: Partial<Ctx>): Ctx;
  /** Closes every socket, drops the database, removes the folder. */
  close(): Promise<void>;
}

/**
 * The process that a use case needs, without HTTP: real Postgres in a database of its own, the local object store
 * in a temporary folder, the real queue. `env` adds configuration keys; `clock` replaces time.
 */
export async function createTestApp(
  options: { env?: Record<string, string>; clock?: Clock } = {},
): Promise<TestApp> {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'larder-test-'));
  const config = loadConfig(
    {
      LOG_LEVEL: 'error',
      DATABASE_POOL: '10',
      LARDER_DATA: dataDir,
      DATABASE_URL: database.url,
      ...options.env,
    } as unknown as NodeJS.ProcessEnv,
    '/dev/null',
  );
  const db = createDb({
    url: config.DATABASE_URL,
    maxConnections: config.DATABASE_POOL,
    applicationName: 'larder test',
  });
  const prisma = new PrismaClient({ adapter: new PrismaPg(db, { disposeExternalPool: false }) });
  const app: App = Object.freeze({
    config,
    db,
    prisma,
    store: await createStore(config),
    queue: await createQueue(db, config.DATABASE_URL),
    clock: options.clock ?? systemClock,
    log: createLog({ level: config.LOG_LEVEL, program: 'test' }),
    rootKey: randomBytes(32),
  });
  return {
    app,
    databaseUrl: database.url,
    dataDir,
    ctxFor: (principal = ANONYMOUS, more = {}) =>
      Object.freeze({
        ...app,
        principal,
        requestId: randomBytes(8).toString('hex'),
        ip: '127.0.0.1',
        signal: new AbortController().signal,
        publicUrl: 'http://localhost:3000',
        ...more,
      }),
    async close() {
      await app.queue.close();
      await app.store.close();
      await prisma.$disconnect();
      await db.end();
      await database.drop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#lib/base/embedded-postgres.ts';
import { migrate } from '#lib/base/migrate.ts';
import { type Hub, type HubOptions, startHub } from '#tests/support/hub.ts';

export interface FragileHub {
  readonly hub: Hub;
  /** Of the Postgres that may be killed. */
  readonly databaseUrl: string;
  /** kill -9 of the database's postmaster; its children end by themselves as after a power cut of the process. */
  killPostgres(): Promise<void>;
  /** Starts whatever of Postgres, server and worker does not run. */
  revive(): Promise<void>;
  /** `npm run check` on everything stored: its output when it found something, else null. */
  check(): string | null;
  stop(): Promise<void>;
}

/** A hub over a Postgres of its own with durable settings, all of which may be killed and revived. */
export async function startFragileHub(options: HubOptions = {}): Promise<FragileHub> {
  const home = await mkdtemp(join(tmpdir(), 'larder-fragile-'));
  let postgres: EmbeddedPostgres = await startEmbeddedPostgres({ home });
  const { port } = postgres;
  const begin = async () => {
    await migrate(postgres.url);
    return startHub({ ...options, env: { ...options.env, DATABASE_URL: postgres.url } });
  };
  const hub = await begin().catch(async (error) => {
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
    throw error;
  });
  return {
    hub,
    databaseUrl: postgres.url,
    async killPostgres() {
      process.kill(postgres.pid, 'SIGKILL');
      await postgres.exited;
    },
    async revive() {
      postgres = await startEmbeddedPostgres({ home, port });
      await hub.restart();
    },
    check() {
      const env = { ...process.env, DATABASE_URL: postgres.url, LARDER_DATA: hub.dataDir };
      const run = spawnSync(process.execPath, ['workers/check.ts'], {
        env,
        encoding: 'utf8',
        timeout: 120_000,
      });
      return run.status === 0 ? null : `exit ${run.status}\n${run.stdout}${run.stderr}`;
    },
    async stop() {
      await hub.stop();
      await postgres.stop();
      await rm(home, { recursive: true, force: true });
    },
  };
}

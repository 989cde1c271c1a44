import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedPostgres, freePort, startEmbeddedPostgres } from '#lib/base/embedded-postgres.ts';
import { migrate } from '#lib/base/migrate.ts';
import { buildPages } from './build.ts';
import { openDatabase, postgresHome } from './database.ts';
import { firstPassword, forgetPassword } from './first-password.ts';
import { endLeftovers, noteChildren } from './leftovers.ts';
import { holderOf, tryLock, unlock } from './lock.mjs';
import type { Options } from './options.ts';
import { portTrouble } from './port.ts';
import { type Supervised, supervise } from './supervise.ts';
import { bold, dim, green, red, say } from './terminal.ts';

/** Signals that come this close together are one: the terminal, npm and our own parent each pass Ctrl-C on. */
const SAME_SIGNAL_MS = 1_000;

/**
 * Runs the whole hub in the foreground until Ctrl-C: database, migration, pages, server, worker. Resolves with
 * the exit code after all of it has ended in order (worker, server, Postgres); a second Ctrl-C ends it at once.
 */
export async function start(options: Options, mode: { dev: boolean }): Promise<number> {
  const running = new RunningHub(options, mode.dev);
  const stopped = new Promise<number>((resolve) => listenForStop(running, resolve));
  const ended = running.start().then(
    () => stopped,
    async (error: Error) => {
      if (running.stopping) return stopped;
      say(red(`larder: ${error.message}`));
      await running.stop();
      return 1;
    },
  );
  return Promise.race([stopped, ended]); // Ctrl-C may come while something is being waited for
}

function listenForStop(running: RunningHub, done: (code: number) => void): void {
  let firstAt = 0;
  const stop = async (): Promise<void> => {
    say(dim('Stopping'));
    try {
      await running.stop();
      done(0);
    } catch (error) {
      say(red((error as Error).message));
      done(1);
    }
  };
  const onSignal = (): void => {
    if (firstAt === 0) {
      firstAt = Date.now();
      void stop();
    } else if (Date.now() - firstAt > SAME_SIGNAL_MS) {
      say(red('Ending at once'));
      running.kill();
      process.exit(130);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
}

class RunningHub {
  stopping = false;
  private readonly options: Options;
  private readonly dev: boolean;
  private readonly lock: string;
  private readonly children: string;
  private readonly password: string;
  private locked = false;
  private postgres: EmbeddedPostgres | null = null;
  private server: Supervised | null = null;
  private worker: Supervised | null = null;

  constructor(options: Options, dev: boolean) {
    this.options = options;
    this.dev = dev;
    this.lock = join(options.dataDir, 'run', 'launcher.lock');
    this.children = join(options.dataDir, 'run', 'children.json');
    this.password = join(options.dataDir, 'run', 'first-password');
  }

  async start(): Promise<void> {
    const { dataDir, host, port } = this.options;
    mkdirSync(join(dataDir, 'run'), { recursive: true });
    this.locked = tryLock(this.lock);
    if (!this.locked)
      throw new Error(
        `a hub already runs on ${dataDir} (process ${holderOf(this.lock)}): stop that one, or start with another folder and port: npm start -- --data DIR --port ${port + 1000}`,
      );
    await endLeftovers(this.children);
    const trouble = await portTrouble(host, port);
    if (trouble) throw new Error(trouble);
    const databaseUrl = await this.startDatabase();
    if (!this.dev && !this.stopping) await buildPages(say);
    if (this.stopping) return;
    const password = this.options.adminPassword ? null : await firstPassword(this.password, databaseUrl);
    await this.startPrograms(databaseUrl, password);
    if (this.stopping) return;
    this.announce(password);
    forgetPassword(this.password);
  }

  private async startDatabase(): Promise<string> {
    const database = await openDatabase(this.options);
    if (database.embedded) {
      this.postgres = database.embedded;
      say(dim(`Postgres ${database.embedded.adopted ? 'was still running' : 'started'}`));
      void this.keepPostgres(database.embedded.port);
    }
    const applied = await migrate(database.url);
    if (applied.length > 0) say(dim(`Database migrated: ${applied.join(', ')}`));
    return database.url;
  }

  /** Starts Postgres again on its port whenever it dies; server and worker reconnect by themselves. */
  private async keepPostgres(port: number): Promise<void> {
    for (let pauseMs = 500; ; pauseMs = Math.min(pauseMs * 2, 30_000)) {
      await this.postgres?.exited;
      if (this.stopping) return;
      say(red('Postgres ended; starting it again'));
      try {
        this.postgres = await startEmbeddedPostgres({ home: postgresHome(this.options), port });
        pauseMs = 250;
        say('Postgres is back');
      } catch (error) {
        say(red((error as Error).message));
        await sleep(pauseMs);
      }
    }
  }

  private async startPrograms(databaseUrl: string, password: string | null): Promise<void> {
    const { dataDir, host, port } = this.options;
    const env = {
      NODE_ENV: this.dev ? 'development' : 'production',
      DATABASE_URL: databaseUrl,
      LARDER_DATA: dataDir,
      PORT: String(port),
      HOST: host,
    };
    const note = () =>
      noteChildren(this.children, [this.server?.identity() ?? null, this.worker?.identity() ?? null]);
    const local = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    this.server = supervise(
      {
        name: 'server',
        args: ['server.ts'],
        env: password ? { ...env, LARDER_ADMIN_PASSWORD: password } : env,
        healthUrl: `http://${local.includes(':') ? `[${local}]` : local}:${port}/healthz`,
        logFile: join(dataDir, 'logs', 'server.log'),
        graceMs: 15_000,
      },
      note,
    );
    await this.server.ready;
    if (this.stopping) return;
    const healthPort = await freePort();
    this.worker = supervise(
      {
        name: 'worker',
        args: ['workers/main.ts'],
        env: { ...env, LARDER_WORKER_HEALTH_PORT: String(healthPort) },
        healthUrl: `http://127.0.0.1:${healthPort}/healthz`,
        logFile: join(dataDir, 'logs', 'worker.log'),
        graceMs: 20_000,
      },
      note,
    );
    note();
    await this.worker.ready;
  }

  private announce(password: string | null): void {
    const { url, adminName, dataDir, databaseUrl, s3Endpoint } = this.options;
    say('');
    say(`  ${green('Larder is ready')}   ${bold(url)}`);
    say(`  Administrator     ${bold(adminName)}`);
    if (password) say(`  Password          ${bold(password)}   (shown only now)`);
    say(dim(`  Database          ${databaseUrl ? 'DATABASE_URL' : join(dataDir, 'postgres')}`));
    say(dim(`  Objects           ${s3Endpoint ?? join(dataDir, 'objects')}`));
    say(dim(`  Logs              ${join(dataDir, 'logs')}`));
    say(dim('  Ctrl-C stops it'));
    say('');
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.worker?.stop();
    await this.server?.stop();
    await this.postgres?.stop();
    if (this.locked) unlock(this.lock);
    say('Stopped');
  }

  kill(): void {
    this.worker?.kill();
    this.server?.kill();
    if (this.postgres) process.kill(this.postgres.pid, 'SIGQUIT');
  }
}

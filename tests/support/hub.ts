import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '#lib/base/embedded-postgres.ts';
import { type Child, startChild, waitUntilHealthy } from './child.ts';
import { createTestDatabase } from './database.ts';

export interface HubOptions {
  /** Configuration keys over the defaults, e.g. { LARDER_ROLE: 'all' } for pages (which then must be built). */
  env?: Record<string, string>;
  /** Users and organizations as LARDER_SEED takes them. */
  seed?: unknown;
  /** Start workers/main.ts too. */
  worker?: boolean;
}

export interface Hub {
  /** http://127.0.0.1:port, the same after every restart. */
  url: string;
  adminToken: string;
  adminPassword: string;
  dataDir: string;
  databaseUrl: string;
  /** Null while it does not run. */
  serverPid: number | null;
  workerPid: number | null;
  /** What server and worker wrote since the first start. */
  logs(): string;
  /** kill -9 of server and worker; data stays. */
  kill(): Promise<void>;
  /**
   * Starts what does not run, on the same data and port (after kill, or after killing one of the pids). `env`: for
   * this run of it alone, over what the hub was started with.
   */
  restart(env?: Record<string, string>): Promise<void>;
  /** Stops both in order, drops the database, removes the data. The hub cannot be started again. */
  stop(): Promise<void>;
}

/**
 * A real hub: server.ts, and workers/main.ts when asked, as child processes on a free port with a database and
 * a local store of their own. It serves the wire without pages unless LARDER_ROLE says otherwise. Resolves when
 * all that was started is healthy; throws with the processes' output when they do not get there.
 */
export async function startHub(options: HubOptions = {}): Promise<Hub> {
  const database = await createTestDatabase();
  const dataDir = await mkdtemp(join(tmpdir(), 'larder-hub-'));
  const port = await freePort();
  const secrets = {
    adminPassword: randomBytes(12).toString('hex'),
    adminToken: `hf_${randomBytes(20).toString('hex')}`,
  };
  const env: Record<string, string> = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'info',
    HOST: '127.0.0.1',
    PORT: String(port),
    LARDER_ROLE: 'wire',
    LARDER_DATA: dataDir,
    DATABASE_URL: database.url,
    LARDER_SIGNUP: 'true',
    LARDER_ADMIN_PASSWORD: secrets.adminPassword,
    LARDER_ADMIN_TOKEN: secrets.adminToken,
    ...options.env,
  };
  if (options.seed !== undefined) {
    env.LARDER_SEED = join(dataDir, 'seed.json');
    await writeFile(env.LARDER_SEED, JSON.stringify(options.seed));
  }
  const processes = new Processes(env, options.worker === true);
  const cleanUp = async (): Promise<void> => {
    await processes.stop();
    await database.drop();
    await rm(dataDir, { recursive: true, force: true });
  };
  await processes.start().catch(async (error) => {
    await cleanUp();
    throw error;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    ...secrets,
    dataDir,
    databaseUrl: database.url,
    get serverPid() {
      return processes.server?.pid ?? null;
    },
    get workerPid() {
      return processes.worker?.pid ?? null;
    },
    logs: () => processes.logs(),
    kill: () => processes.stop('SIGKILL'),
    restart: (env) => processes.start(env),
    stop: cleanUp,
  };
}

/** Server and worker of one hub, each running or not. */
class Processes {
  server: Child | null = null;
  worker: Child | null = null;
  private readonly env: Record<string, string>;
  private readonly hasWorker: boolean;
  /** Those that have ended: what they wrote last may be read after their end is known. */
  private readonly past: Child[] = [];

  constructor(env: Record<string, string>, hasWorker: boolean) {
    this.env = env;
    this.hasWorker = hasWorker;
  }

  async start(more: Record<string, string> = {}): Promise<void> {
    const env = { ...this.env, ...more };
    if (!this.server) {
      const server = startChild(['server.ts'], env);
      this.server = server;
      void server.exited.then(() => this.ended('server', server));
      await waitUntilHealthy(server, `http://127.0.0.1:${this.env.PORT}/healthz`);
    }
    if (this.hasWorker && !this.worker) {
      const healthPort = String(await freePort());
      const worker = startChild(['workers/main.ts'], { ...env, LARDER_WORKER_HEALTH_PORT: healthPort });
      this.worker = worker;
      void worker.exited.then(() => this.ended('worker', worker));
      await waitUntilHealthy(worker, `http://127.0.0.1:${healthPort}/healthz`);
    }
  }

  /** The worker first: it may still need the server's door. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.worker?.stop(signal);
    await this.server?.stop(signal);
  }

  logs(): string {
    return [...this.past, this.server, this.worker].map((child) => child?.logs() ?? '').join('');
  }

  private ended(which: 'server' | 'worker', child: Child): void {
    if (this[which] !== child) return;
    this.past.push(child);
    this[which] = null;
  }
}

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { postgresAccount } from './postgres-account.ts';
import { type Binaries, preparePostgresBinaries } from './postgres-binaries.ts';
import { isAlive, type Postmaster, runningPostmaster } from './postmaster.ts';

const MAJOR = '18';
const ROLE = 'larder';
const LOG_LIMIT_BYTES = 8_000_000;

/** Durable and frugal. Statements and their values stay out of the log: they carry what users keep private. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '256MB',
  max_wal_size: '2GB',
  jit: 'off',
  log_checkpoints: 'off',
  log_min_messages: 'warning',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
};

export interface EmbeddedPostgres {
  /** Of the database `larder`, whose owner may make databases but is no superuser. */
  url: string;
  port: number;
  pid: number;
  /** True when it was running already: its earlier parent was killed. */
  adopted: boolean;
  /** Resolves when the server has ended, for whatever reason. */
  exited: Promise<void>;
  /** Ends sessions and closes the cluster cleanly; resolves when the process is gone. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Folder for cluster, password and log; made when missing. */
  home: string;
  /** Listen here or fail; without it a free port is taken. */
  port?: number;
  /** Server settings over our own, e.g. { fsync: 'off' } in tests. */
  settings?: Record<string, string>;
}

/**
 * Starts the Postgres that the package registry carries, on loopback alone, behind a generated password kept in
 * `home` (mode 600). The first call makes the cluster (UTF-8, builtin C.UTF-8 order, checksums); a kill in the
 * middle of that is repaired by the next. A server that outlived its parent is adopted, a stale
 * lock file is removed only when its process is really gone. As root it runs under another account.
 *
 * The server outlives us: it stops by `stop()` alone, so that a crash of the launcher loses nothing.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  mkdirSync(options.home, { recursive: true });
  const home = realpathSync(options.home);
  const password = readPassword(home);
  const binaries = preparePostgresBinaries(home, postgresAccount());
  const cluster = join(home, 'cluster');
  if (!existsSync(join(cluster, 'PG_VERSION'))) await createCluster(home, binaries);
  requireMajor(cluster);
  const adopted = await settled(cluster);
  if (adopted) return finish(cluster, adopted, password, true);
  rmSync(join(cluster, 'postmaster.pid'), { force: true });
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      const port = options.port ?? (await freePort());
      return await finish(
        cluster,
        await launch(home, binaries, port, options.settings ?? {}),
        password,
        false,
      );
    } catch (error) {
      // Another program took the port, or sessions of a killed server still hold its memory: both pass.
      const passes = /still in use|could not bind|Address already in use/.test((error as Error).message);
      if (!passes || Date.now() > deadline) throw error;
      await sleep(300);
    }
  }
}

/** The password is written before the cluster, so that no kill can leave a cluster that nobody can open. */
function readPassword(home: string): string {
  const file = join(home, 'password');
  if (!existsSync(file)) {
    writeFileSync(`${file}.draft`, randomBytes(24).toString('hex'), { mode: 0o600, flush: true });
    renameSync(`${file}.draft`, file);
  }
  chmodSync(file, 0o600);
  return readFileSync(file, 'utf8').trim();
}

async function createCluster(home: string, binaries: Binaries): Promise<void> {
  const draft = join(home, 'cluster.draft');
  rmSync(draft, { recursive: true, force: true });
  const child = start(binaries, 'initdb', home, [
    `--pgdata=${draft}`,
    '--username=postgres',
    '--auth=scram-sha-256',
    `--pwfile=${join(home, 'password')}`,
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    '--data-checksums',
  ]);
  const code = await exitOf(child);
  if (code !== 0) throw new Error(`initdb failed (${code}): ${lastLines(home)}`);
  renameSync(draft, join(home, 'cluster'));
}

function requireMajor(cluster: string): void {
  const major = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (major === MAJOR) return;
  throw new Error(
    `${cluster} was made by Postgres ${major}, this version of Larder brings ${MAJOR}: dump it with the old version and restore it, see docs/operations.md`,
  );
}

/** Waits out a server that is starting or stopping. Null when none is left. */
async function settled(cluster: string): Promise<Postmaster | null> {
  for (;;) {
    const postmaster = runningPostmaster(cluster);
    if (!postmaster || postmaster.status === 'ready') return postmaster;
    await sleep(50);
  }
}

async function launch(
  home: string,
  binaries: Binaries,
  port: number,
  settings: Record<string, string>,
): Promise<Postmaster> {
  const cluster = join(home, 'cluster');
  const flags = Object.entries({ ...SETTINGS, port: String(port), ...settings });
  const child = start(binaries, 'postgres', home, [
    '-D',
    cluster,
    ...flags.flatMap(([k, v]) => ['-c', `${k}=${v}`]),
  ]);
  let code: number | null = null;
  void exitOf(child).then((value) => {
    code = value;
  });
  for (;;) {
    if (code !== null) throw new Error(`Postgres ended at once (${code}): ${lastLines(home)}`);
    const postmaster = runningPostmaster(cluster);
    if (postmaster?.status === 'ready') {
      child.unref();
      return postmaster;
    }
    await sleep(25);
  }
}

/** In a session of its own, so that Ctrl-C in the terminal reaches the launcher alone, which knows the order. */
function start(binaries: Binaries, program: string, home: string, args: string[]): ChildProcess {
  const log = openLog(home);
  const [command = '', ...rest] = [...binaries.prefix, join(binaries.folder, program), ...args];
  const child = spawn(command, rest, {
    cwd: binaries.prefix.length ? '/' : home,
    env: { PATH: '/usr/local/bin:/usr/bin:/bin', TZ: 'UTC', LC_ALL: 'C' } as unknown as NodeJS.ProcessEnv,
    stdio: ['ignore', log, log],
    detached: true,
    ...binaries.account,
  });
  closeSync(log);
  return child;
}

function openLog(home: string): number {
  const file = join(home, 'postgres.log');
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > LOG_LIMIT_BYTES) renameSync(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

function lastLines(home: string): string {
  return readFileSync(join(home, 'postgres.log'), 'utf8').trimEnd().split('\n').slice(-6).join('\n');
}

function exitOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1)));
  });
}

async function finish(
  cluster: string,
  { pid, port }: Postmaster,
  password: string,
  adopted: boolean,
): Promise<EmbeddedPostgres> {
  await createRoleAndDatabase(port, password);
  const exited = goneOf(pid);
  return {
    url: `postgresql://${ROLE}:${password}@127.0.0.1:${port}/larder`,
    port,
    pid,
    adopted,
    exited,
    stop: () => stop(cluster, pid),
  };
}

/** Both steps are repeatable: a kill between them is mended by the next start. */
async function createRoleAndDatabase(port: number, password: string): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', password });
  await client.connect();
  try {
    const role = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [ROLE]);
    if (role.rowCount === 0)
      await client.query(`CREATE ROLE ${ROLE} LOGIN CREATEDB PASSWORD ${client.escapeLiteral(password)}`);
    const database = await client.query(`SELECT 1 FROM pg_database WHERE datname = 'larder'`);
    if (database.rowCount === 0) await client.query(`CREATE DATABASE larder OWNER ${ROLE}`);
  } finally {
    await client.end();
  }
}

async function goneOf(pid: number): Promise<void> {
  while (isAlive(pid)) await sleep(200, undefined, { ref: false });
}

async function stop(cluster: string, pid: number): Promise<void> {
  for (const [signal, waitMs] of [
    ['SIGINT', 30_000], // fast: roll back, checkpoint, close
    ['SIGQUIT', 10_000], // at once: the next start recovers from the log
  ] as const) {
    if (runningPostmaster(cluster)?.pid !== pid) return;
    process.kill(pid, signal);
    for (const deadline = Date.now() + waitMs; Date.now() < deadline; await sleep(25))
      if (!isAlive(pid)) return;
  }
  throw new Error(`Postgres (process ${pid}) does not stop`);
}

/** A TCP port of loopback that nobody listens on at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEmbeddedPostgres } from '#lib/base/embedded-postgres.ts';
import { migrate } from '#lib/base/migrate.ts';
import { openDatabase } from './database.ts';
import type { Options } from './options.ts';
import { providePython, pythonVariables } from './python.ts';
import { environmentWith } from './run.mjs';
import { say } from './terminal.ts';

/** One more worker for the hub that is configured here; its database must be running. */
export async function runWorker(options: Options): Promise<number> {
  const database = await openDatabase(options);
  try {
    await migrate(database.url);
    return await run(['workers/main.ts'], {
      NODE_ENV: 'production',
      DATABASE_URL: database.url,
      LARDER_DATA: options.dataDir,
      LARDER_WORKER_HEALTH_PORT: process.env.LARDER_WORKER_HEALTH_PORT ?? String(await freePort()),
    });
  } finally {
    await database.release();
  }
}

/** Runs one of our programs over this installation's database and store, whether the hub runs or not. */
async function runOver(options: Options, program: string, args: readonly string[]): Promise<number> {
  const database = await openDatabase(options);
  try {
    const env = { NODE_ENV: 'production', DATABASE_URL: database.url, LARDER_DATA: options.dataDir };
    return await run([program, ...args], env);
  } finally {
    await database.release();
  }
}

/** The consistency check. */
export function runCheck(options: Options): Promise<number> {
  return runOver(options, 'workers/check.ts', options.rest);
}

/** Garbage collection, or what it would take. */
export function runReclaim(options: Options): Promise<number> {
  return runOver(options, 'workers/gc.ts', options.rest);
}

/** A backup of database and objects into a folder, while the hub runs. */
export function runBackup(options: Options): Promise<number> {
  return runOver(options, 'workers/backup.ts', options.rest);
}

/** Brings a backup back into this installation, then checks it. */
export async function runRestore(options: Options): Promise<number> {
  const restored = await runOver(options, 'workers/restore.ts', options.rest);
  return restored === 0 && !options.rest.includes('--list')
    ? runOver(options, 'workers/check.ts', [])
    : restored;
}

/** The bench over hubs of its own, with the stock client, on a durable Postgres of its own. */
export async function runBench(args: string[]): Promise<number> {
  const missing = providePython(say);
  if (missing.length > 0) throw new Error(missing.join('\n'));
  const home = mkdtempSync(join(tmpdir(), 'larder-bench-'));
  chmodSync(home, 0o755);
  const postgres = await startEmbeddedPostgres({ home: join(home, 'postgres') });
  try {
    const env = { ...pythonVariables(), LARDER_TEST_POSTGRES: postgres.url };
    return await run(['tests/bench/main.ts', ...args], env);
  } finally {
    await postgres.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** Runs `node args` at this terminal until it ends; our signals are passed on. */
export function run(args: string[], env: Record<string, string>): Promise<number> {
  const child = spawn(process.execPath, ['--import', './bin/launcher/tether.mjs', ...args], {
    env: { ...environmentWith(process.execPath), ...env } as unknown as NodeJS.ProcessEnv,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
  });
  const forward = (signal: NodeJS.Signals): boolean => child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, forward);
  return exitCodeOf(child).finally(() => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, forward);
  });
}

function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

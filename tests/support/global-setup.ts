import { readdirSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '#lib/base/embedded-postgres.ts';
import { isAlive, runningPostmaster } from '#lib/base/postmaster.ts';

const PREFIX = 'larder-test-postgres-';

/** Safe against a kill of a process, which is all that tests do; not against a power cut, hence the speed. */
const FAST = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', max_connections: '400' };

/**
 * Gives all tests one Postgres (each test file makes its own database in it): a fresh embedded one, or the one
 * that LARDER_TEST_POSTGRES names, whose user must be allowed to create databases.
 */
export default async function setup(): Promise<() => Promise<void>> {
  if (process.env.LARDER_TEST_POSTGRES) return async () => {};
  await sweep();
  const home = join(tmpdir(), `${PREFIX}${process.pid}`);
  await mkdir(home, { mode: 0o755 });
  const postgres = await startEmbeddedPostgres({ home, settings: FAST });
  process.env.LARDER_TEST_POSTGRES = postgres.url; // test processes inherit it
  return async () => {
    await postgres.stop();
    await rm(home, { recursive: true, force: true });
  };
}

/** Ends servers of test runs that were killed. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX) || isAlive(Number(name.slice(PREFIX.length)))) continue;
    const home = join(tmpdir(), name);
    const left = runningPostmaster(join(home, 'cluster'));
    if (left) {
      process.kill(left.pid, 'SIGQUIT');
      while (isAlive(left.pid)) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await rm(home, { recursive: true, force: true });
  }
}

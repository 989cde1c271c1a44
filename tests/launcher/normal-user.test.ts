import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '#lib/base/embedded-postgres.ts';
import { canReach, reachingThrough } from '#lib/base/postgres-account.ts';
import { PROJECT } from '#tests/support/child.ts';
import { launch, processOf } from './launch.ts';

const NOBODY = { uid: 65_534, gid: 65_534 };

test('the hub runs as a normal user, and Postgres then runs as that user too', async () => {
  const data = mkdtempSync(join(tmpdir(), 'larder-user-'));
  const port = await freePort();
  const isRoot = process.getuid?.() === 0;
  if (isRoot) chownSync(data, NOBODY.uid, NOBODY.gid);
  const hub = launch(['start', '--port', String(port), '--data', data], isRoot ? asNobody() : {});
  try {
    await hub.ready;
    const uid = isRoot ? NOBODY.uid : process.getuid?.();
    for (const name of ['server.ts', 'workers/main.ts', 'cluster'])
      expect(statSync(`/proc/${processOf(hub.family(), name)}`).uid).toBe(uid);
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    expect(await hub.interrupt()).toBe(0);
  } finally {
    await hub.interrupt();
    rmSync(data, { recursive: true, force: true });
  }
});

/** The checkout may lie below a home that only root may enter. */
function asNobody(): { uid: number; gid: number } | { prefix: string[] } {
  if (canReach(NOBODY, PROJECT) && canReach(NOBODY, process.execPath)) return NOBODY;
  const prefix = reachingThrough(NOBODY, join(PROJECT, 'bin'));
  if (!prefix)
    throw new Error('this system gives no way to run the checkout as another user: run the tests as one');
  return { prefix };
}

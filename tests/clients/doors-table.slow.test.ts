import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { type Doors, openDoors } from './file-doors.ts';

/** Above hf's threshold for parts (16 MiB in the agent's chunks of 64 MiB: one part and a rest). */
const BYTES = Number(process.env.LARDER_DOORS_BYTES ?? 70 << 20);

let hub: Hub;
let doors: Doors & { close(): Promise<void> };

beforeAll(async () => {
  hub = await startHub();
  doors = await openDoors(hub, await mkdtemp(join(tmpdir(), 'larder-doors-')), BYTES);
});
afterAll(async () => {
  await doors?.close();
  await hub?.stop();
});

test('what came in by any door goes out by every door with the same bytes', async () => {
  const table: Record<string, Record<string, string>> = {};
  for (const [index, [writer, write]] of Object.entries(doors.writers).entries()) {
    const repo = `admin/door-${index}`;
    const headers = { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ name: `door-${index}` });
    expect((await fetch(`${hub.url}/api/repos/create`, { method: 'POST', headers, body })).status).toBe(200);
    await write(repo);
    const row: Record<string, string> = {};
    table[writer] = row;
    for (const [reader, read] of Object.entries(doors.readers)) {
      const got = await read(repo).catch((error: Error) => ({ error: error.message }));
      row[reader] = JSON.stringify(got) === JSON.stringify(doors.wanted) ? 'same' : JSON.stringify(got);
    }
  }
  console.table(table);
  for (const [writer, row] of Object.entries(table))
    for (const [reader, result] of Object.entries(row)) expect(result, `${writer} → ${reader}`).toBe('same');
}, 600_000);

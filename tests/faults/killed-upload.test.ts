import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hf as runHf } from '#tests/clients/python.ts';
import { type FragileHub, startFragileHub } from './fragile-hub.ts';
import { eventually, pause } from './nemesis.ts';

const SIZE_BYTES = 96 * 1024 * 1024;
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

describe('an upload during which everything is killed', () => {
  let fragile: FragileHub;
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'larder-killed-'));
    fragile = await startFragileHub({ env: { LOG_LEVEL: 'fatal' } });
  });
  afterEach(async () => {
    await fragile.stop();
    await rm(dir, { recursive: true, force: true });
  });

  const hf = (...args: string[]) =>
    runHf(args, { endpoint: fragile.hub.url, token: fragile.hub.adminToken, home: join(dir, 'hf') });

  const storedFiles = () => {
    try {
      return readdirSync(join(fragile.hub.dataDir), { recursive: true }).length;
    } catch {
      return 0;
    }
  };

  test.each([
    ['server', false],
    ['server and Postgres', true],
  ] as const)(
    'kill -9 of %s half-way: the client or its second try succeeds, the bytes are whole, check is clean',
    { timeout: 180_000 },
    async (_what, withPostgres) => {
      const folder = join(dir, 'model');
      await mkdir(folder);
      const bytes = randomBytes(SIZE_BYTES);
      await writeFile(join(folder, 'model.bin'), bytes);
      const before = storedFiles();
      const first = hf('upload', 'admin/killed', folder);
      await eventually(async () => expect(storedFiles()).toBeGreaterThan(before + 2), 60_000); // bytes are arriving
      if (withPostgres) await fragile.killPostgres();
      await fragile.hub.kill();
      await pause(500);
      await fragile.revive();
      const one = await first;
      if (one.code !== 0) expect(await hf('upload', 'admin/killed', folder)).toMatchObject({ code: 0 });

      const got = await hf('download', 'admin/killed', 'model.bin', '--local-dir', join(dir, 'got'));
      expect(got, got.stderr).toMatchObject({ code: 0 });
      expect(sha256(await readFile(join(dir, 'got', 'model.bin')))).toBe(sha256(bytes));
      expect(fragile.check()).toBeNull();
    },
  );
});

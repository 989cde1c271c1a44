import { execFile } from 'node:child_process';
import { appendFileSync, cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrate, readMigrations } from '#lib/base/migrate.ts';
import { PROJECT } from '#tests/support/child.ts';
import { createEmptyDatabase, type TestDatabase } from '#tests/support/database.ts';

let database: TestDatabase;
let folder: string;

beforeEach(async () => {
  database = await createEmptyDatabase();
  folder = mkdtempSync(join(tmpdir(), 'larder-prisma-'));
  for (const name of ['prisma', 'prisma.config.ts', 'package.json'])
    cpSync(join(PROJECT, name), join(folder, name), { recursive: true });
  symlinkSync(join(PROJECT, 'node_modules'), join(folder, 'node_modules'));
});
afterEach(async () => {
  await database.drop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs Prisma's own CLI in a copy of the project, with no engine but ours. */
function prisma(...args: string[]): Promise<{ code: number; output: string }> {
  const env = { ...process.env, DATABASE_URL: database.url, PRISMA_SCHEMA_ENGINE_BINARY: undefined };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['node_modules/prisma/build/index.js', ...args],
      { cwd: folder, env: env as unknown as NodeJS.ProcessEnv },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    );
  });
}

test('what our runner applied is up to date for Prisma, and the schema file says all that the migrations made', async () => {
  await migrate(database.url);
  expect((await prisma('migrate', 'status')).output).toContain('Database schema is up to date');
  const diff = ['migrate', 'diff', '--from-config-datasource', '--to-schema', 'prisma/schema.prisma'];
  expect(await prisma(...diff, '--exit-code', '--script')).toMatchObject({
    code: 0,
    output: expect.stringContaining('This is an empty migration'),
  });
});

test('what Prisma deployed is up to date for our runner', async () => {
  expect((await prisma('migrate', 'status')).output).toContain('have not yet been applied');
  expect((await prisma('migrate', 'deploy')).output).toContain('successfully applied');
  expect(await migrate(database.url)).toEqual([]);
});

test('migrate dev writes a migration for a change of the schema, which our runner applies', async () => {
  await migrate(database.url);
  appendFileSync(join(folder, 'prisma', 'schema.prisma'), '\nmodel Extra {\n  id Int @id\n}\n');
  const dev = await prisma('migrate', 'dev', '--create-only', '--name', 'extra');
  expect(dev).toMatchObject({ code: 0 });
  const name = readdirSync(join(folder, 'prisma', 'migrations')).find((entry) => entry.endsWith('_extra'));
  const applied = await migrate(database.url, readMigrations(join(folder, 'prisma', 'migrations')));
  expect(applied).toEqual([name]);
  expect((await prisma('migrate', 'status')).output).toContain('Database schema is up to date');
});

test('a database that cannot be reached is reported as such', async () => {
  await database.drop();
  const status = await prisma('migrate', 'status');
  expect(status.code).not.toBe(0);
  expect(status.output).toMatch(/P1003.*does not exist/s);
});

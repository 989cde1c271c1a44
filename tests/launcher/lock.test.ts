import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { holderOf, identityOf, tryLock, unlock } from '../../bin/launcher/lock.mjs';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'larder-lock-'));
  file = join(folder, 'lock');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const MODULE = join(import.meta.dirname, '../../bin/launcher/lock.mjs');

/** What tryLock says in a process of its own, which then ends. */
function tryElsewhere(): string {
  const code = `import(${JSON.stringify(MODULE)}).then((m) => console.log(m.tryLock(${JSON.stringify(file)})))`;
  return spawnSync(process.execPath, ['-e', code], { encoding: 'utf8' }).stdout.trim();
}

test('a lock of a living process is refused to others and names its holder', () => {
  expect(tryLock(file)).toBe(true);
  expect(tryElsewhere()).toBe('false');
  expect(holderOf(file)).toBe(process.pid);
  unlock(file);
  expect(tryElsewhere()).toBe('true');
});

test('a lock of a process that is gone is taken over', () => {
  expect(tryElsewhere()).toBe('true');
  expect(holderOf(file)).toBeNull();
  expect(tryLock(file)).toBe(true);
});

test('a lock whose process number now belongs to a later process is taken over', () => {
  writeFileSync(file, `${process.pid} 1`);
  expect(tryLock(file)).toBe(true);
});

test('of twenty processes that try at once over a stale lock, exactly one gets it', async () => {
  writeFileSync(file, '1 1');
  // Each lives on after its answer, as a launcher does.
  const code = `import(${JSON.stringify(MODULE)}).then((m) => { console.log(m.tryLock(${JSON.stringify(file)})); setInterval(() => {}, 1000); })`;
  const children = Array.from({ length: 20 }, () =>
    spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const answers = await Promise.all(
    children.map(
      (child) =>
        new Promise<string>((done) => child.stdout.once('data', (chunk) => done(String(chunk).trim()))),
    ),
  );
  for (const child of children) child.kill('SIGKILL');
  expect(answers.filter((each) => each === 'true')).toHaveLength(1);
});

test('identity is stable while a process lives and gone afterwards', async () => {
  expect(identityOf(process.pid)).toBe(identityOf(process.pid));
  const child = spawn(process.execPath, ['-e', '']);
  const pid = child.pid ?? -1;
  await new Promise((done) => child.once('exit', done));
  expect(identityOf(pid)).toBeNull();
});

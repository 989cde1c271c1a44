import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openLogFile } from '../../bin/launcher/log-file.ts';
import { shorten } from '../../bin/launcher/terminal.ts';

test('a log grows to its limit, keeps four older ones, loses no line between two of them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'larder-log-'));
  const log = openLogFile(join(folder, 'server.log'), 100);
  for (let i = 0; i < 200; i++) log(`line ${i}`);
  const names = readdirSync(folder).sort();
  expect(names).toEqual(['server.log', 'server.log.1', 'server.log.2', 'server.log.3', 'server.log.4']);
  const ordered = [...names.slice(1).toReversed(), 'server.log'].flatMap((name) =>
    readFileSync(join(folder, name), 'utf8').trim().split('\n'),
  );
  const first = Number(ordered[0]?.split(' ')[1]);
  expect(ordered).toEqual(Array.from({ length: 200 - first }, (_, i) => `line ${first + i}`));
  rmSync(folder, { recursive: true });
});

test('the terminal shows warnings, errors and crashes of the programs, not their everyday lines', () => {
  expect(shorten('server', '{"level":30,"msg":"listening"}', false)).toBeNull();
  expect(shorten('server', '{"level":50,"msg":"failed","err":{"message":"boom"}}', false)).toContain(
    'failed: boom',
  );
  expect(shorten('server', 'Error: out of memory', true)).toContain('out of memory');
  expect(shorten('server', 'some chatter', false)).toBeNull();
});

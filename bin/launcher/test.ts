import { spawnSync } from 'node:child_process';
import { buildPages } from './build.ts';
import { run } from './program.ts';
import { providePython, pythonVariables } from './python.ts';
import { environmentWith } from './run.mjs';
import { runVitest } from './run-vitest.ts';
import { chromium, provideSystemPackages } from './system-packages.ts';
import { bold, green, red, say } from './terminal.ts';

/** Everything that is proved without running the product, each by one command of node_modules/.bin. */
const STATIC_CHECKS: Record<string, string[]> = {
  types: ['tsc', '--noEmit'],
  format: ['biome', 'check', '.'],
  lint: ['oxlint'],
  'dead code': ['knip'],
};

/**
 * `npm test`: provides what the tests need, checks the sources, builds the pages, runs every test. What cannot
 * be provided is named and fails the run; nothing is skipped. With arguments only vitest runs, on them.
 */
export async function runTests(args: string[]): Promise<number> {
  const missing = provideTools();
  if (missing.length > 0) return missingTools(missing);
  const failed = args.length > 0 ? [] : staticChecks();
  try {
    await buildPages(say);
  } catch (error) {
    say((error as Error).message);
    failed.push('next build');
  }
  say(bold('tests'));
  const passed =
    args.length > 0
      ? (await run(['node_modules/vitest/vitest.mjs', 'run', ...args], testVariables())) === 0
      : await runVitest(testVariables());
  if (!passed) failed.push('tests');
  return verdict(failed);
}

/** `npm run test:slow`: the files *.slow.test.ts, one at a time. */
export async function runSlowTests(args: string[]): Promise<number> {
  const missing = provideTools();
  if (missing.length > 0) return missingTools(missing);
  await buildPages(say);
  const slow = ['--config', 'vitest.slow.config.ts'];
  const passed =
    args.length > 0
      ? (await run(['node_modules/vitest/vitest.mjs', 'run', ...slow, ...args], testVariables())) === 0
      : await runVitest(testVariables(), slow);
  return verdict(passed ? [] : ['slow tests']);
}

function provideTools(): string[] {
  const missing = provideSystemPackages(say);
  return missing.some((line) => line.startsWith('Python')) ? missing : [...missing, ...providePython(say)];
}

function missingTools(missing: string[]): number {
  say(red('The tests need what could not be installed:'));
  for (const line of missing) say(`  ${line}`);
  return 1;
}

function staticChecks(): string[] {
  return Object.entries(STATIC_CHECKS).flatMap(([name, [tool = '', ...args]]) => {
    const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${tool}`, args, {
      encoding: 'utf8',
      env: environmentWith(process.execPath),
      maxBuffer: 64 * 1024 * 1024,
    });
    say(`${status === 0 ? green('ok    ') : red('failed')} ${name}`);
    if (status === 0) return [];
    say(`${stdout}${stderr}`);
    return [name];
  });
}

function testVariables(): Record<string, string> {
  return { ...pythonVariables(), LARDER_TEST_CHROMIUM: chromium() ?? '' };
}

function verdict(failed: string[]): number {
  say(failed.length === 0 ? green('All passed') : red(`Failed: ${failed.join(', ')}`));
  return failed.length === 0 ? 0 : 1;
}

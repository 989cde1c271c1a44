import { existsSync, readFileSync, rmSync } from 'node:fs';
import { relative } from 'node:path';
import { run } from './program.ts';
import { say, yellow } from './terminal.ts';

const RESULTS = '.runtime/test-results.json';
/** More than this is a defect, not bad luck. */
const MAX_SECOND_TRIES = 5;

/**
 * Runs every test that the configuration (`args`) names. Files that fail get one more run, alone: real servers, browsers and clients of six languages share
 * two cores here, and what only fails beside others is a defect of the test, not of the product. Such files are named
 * at the end, so that they get mended; a file that fails again, or more than five that fail, fail the run. Returns
 * whether it passed.
 */
export async function runVitest(
  variables: Record<string, string>,
  args: readonly string[] = [],
): Promise<boolean> {
  rmSync(RESULTS, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${RESULTS}`];
  if ((await run(['node_modules/vitest/vitest.mjs', 'run', ...args, ...reporters], variables)) === 0)
    return true;
  const failed = failedFiles();
  if (failed.length === 0 || failed.length > MAX_SECOND_TRIES) return false;
  say(yellow(`Failed, and run once more, alone: ${failed.join(' ')}`));
  const again = ['node_modules/vitest/vitest.mjs', 'run', ...args, '--no-file-parallelism', ...failed];
  if ((await run(again, variables)) !== 0) return false;
  say(yellow(`Passed only at the second try: ${failed.join(' ')}`));
  return true;
}

/** Test files of the last run that did not pass; none when it broke off before it could say. */
function failedFiles(): string[] {
  if (!existsSync(RESULTS)) return [];
  const { testResults } = JSON.parse(readFileSync(RESULTS, 'utf8')) as {
    testResults: { name: string; status: string }[];
  };
  return testResults.filter(({ status }) => status !== 'passed').map(({ name }) => relative('.', name));
}

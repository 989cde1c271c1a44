/**
 * `npm run check [-- --full | --sample 5%] [--fix] [--json]`: proves that database, git objects, store and engines
 * agree. Prints each finding, what it means and what mends it; exit status 1 when something is wrong.
 */
import { loadConfig } from '#lib/base/config.ts';
import { checkEndpoints } from '#lib/endpoints/check-endpoints.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { checkFiles } from '#lib/repos/check/check-files.ts';
import { type CheckTotals, checkRepos } from '#lib/repos/check/check-repos.ts';
import { Finding } from '#lib/repos/check/finding.ts';
import { rebuildXet } from '#lib/repos/check/rebuild-xet.ts';
import { readCheckOptions } from './check-options.ts';
import { CheckReport } from './check-report.ts';
import { createDriver } from './create-driver.ts';
import { speaker } from './speaker.ts';

const options = readCheckOptions(process.argv.slice(2));
const config = loadConfig();
const app = await createApp({ config, program: 'check' });
const report = new CheckReport(options);
try {
  const totals: CheckTotals = { repos: 0, objects: 0 };
  const hashed = { objects: 0, bytes: 0 };
  const say = speaker();
  if (options.rebuildXet) {
    const made = await rebuildXet(app, say);
    process.stderr.write(`made again: ${JSON.stringify(made)}\n`);
  }
  const driver = await createDriver(config);
  for await (const finding of checkRepos(app, totals)) report.add(finding);
  const files = checkFiles(app, {
    bytes: { share: options.share },
    ...(options.graceMs !== undefined && { graceMs: options.graceMs }),
    onProgress: (progress) => {
      Object.assign(hashed, progress);
      say(`read ${progress.objects} objects, ${(progress.bytes / 1e9).toFixed(2)} GB`);
    },
  });
  for await (const finding of files) report.add(finding);
  for await (const problem of checkEndpoints(app, driver))
    report.add(new Finding('endpoint', 'engines', problem));
  await report.mend();
  process.exitCode = report.close({
    ...totals,
    hashedObjects: hashed.objects,
    hashedBytes: hashed.bytes,
  });
} finally {
  await closeApp(app);
}

/** `npm run check`: proves that database, git objects, store and engines agree. Prints each problem; exit status 1 if any. */
import { loadConfig } from '#lib/base/config.ts';
import { checkEndpoints } from '#lib/endpoints/check-endpoints.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { checkFiles } from '#lib/repos/check-files.ts';
import { type CheckTotals, checkRepos } from '#lib/repos/check-repos.ts';
import { createDriver } from './create-driver.ts';

const config = loadConfig();
const app = await createApp({ config, program: 'check' });
let problems = 0;
try {
  const totals: CheckTotals = { repos: 0, objects: 0 };
  const driver = await createDriver(config);
  for (const findings of [checkRepos(app, totals), checkFiles(app), checkEndpoints(app, driver)])
    for await (const problem of findings) {
      problems++;
      console.log(problem);
    }
  console.log(
    `${problems === 0 ? 'clean' : `${problems} problems`}: ${totals.repos} repos, ${totals.objects} git objects`,
  );
} finally {
  await closeApp(app);
}
process.exitCode = problems === 0 ? 0 : 1;

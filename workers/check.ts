/** `npm run check`: proves that database, git objects and store agree. Prints each problem; exit status 1 if any. */
import { loadConfig } from '#lib/base/config.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { checkFiles } from '#lib/repos/check-files.ts';
import { type CheckTotals, checkRepos } from '#lib/repos/check-repos.ts';

const app = await createApp({ config: loadConfig(), program: 'check' });
let problems = 0;
try {
  const totals: CheckTotals = { repos: 0, objects: 0 };
  for (const findings of [checkRepos(app, totals), checkFiles(app)])
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

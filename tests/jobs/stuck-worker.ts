import { z } from 'zod';
import { loadConfig } from '#lib/base/config.ts';
import { createLog } from '#lib/base/log.ts';
import { defineJob } from '#lib/jobs/define.ts';
import { handleJob, runJobs } from '#lib/jobs/run-jobs.ts';

// A worker that takes one job and never ends it: to be killed by jobs.test.ts.
const [databaseUrl, jobName] = process.argv.slice(2) as [string, string];
const app = {
  config: loadConfig({ ...process.env, DATABASE_URL: databaseUrl }, '/dev/null'),
  log: createLog({ level: 'silent', program: 'stuck-worker' }),
};
const job = defineJob({ name: jobName, schema: z.object({ n: z.number() }) });
await runJobs(app, [
  handleJob<typeof app, { n: number }>(job, async (_, { n }) => {
    process.stdout.write(`took ${n}\n`);
    await new Promise(() => {});
  }),
]);

/** The worker: runs jobs, and makes the engines that run agree with the endpoints that should. */
import { loadConfig } from '#lib/base/config.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { startReconciler } from '#lib/endpoints/reconcile.ts';
import { createWeightsCache } from '#lib/endpoints/weights-cache.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { runJobs } from '#lib/jobs/run-jobs.ts';
import { createDriver } from './create-driver.ts';
import { startHealthServer } from './health-server.ts';
import { jobHandlers } from './jobs.ts';

/** Without a whole round for this long the worker is stuck or cut off from the database. */
const UNHEALTHY_MS = 30_000;

const config = loadConfig();
const app = await createApp({ config, program: 'worker', waitsForStore: true });

async function start() {
  const driver = await createDriver(config);
  const cache = await createWeightsCache(config.LARDER_DATA, config.LARDER_WEIGHTS_CACHE_BYTES);
  const reconciler = startReconciler(app, driver, cache);
  await failpoint('worker.starting');
  const jobs = await runJobs(app, jobHandlers);
  const health = await startHealthServer(
    config.LARDER_WORKER_HEALTH_PORT,
    async () => app.clock.now() - reconciler.lastRoundMs() < UNHEALTHY_MS,
  );
  app.log.info({ node: driver.node }, 'worker ready');
  return { reconciler, jobs, health };
}

let isStopping = false;
async function stop(signal: string): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  app.log.info({ signal }, 'stopping');
  const { reconciler, jobs, health } = await started;
  health?.close();
  health?.closeAllConnections();
  await Promise.all([jobs.stop(), reconciler.stop({ leaveEngines: config.LARDER_ENGINES_OUTLIVE_WORKER })]);
  await closeApp(app);
  process.exit(0);
}

// Before anything is started: a worker that is asked to stop while it starts leaves no engine behind either.
process.on('SIGTERM', () => void stop('SIGTERM'));
process.on('SIGINT', () => void stop('SIGINT'));
const started = start();
await started;

/** A process that runs garbage collection once and prints its outcome; tests arm a failpoint in it. */
import { loadConfig } from '#lib/base/config.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { reclaim } from '#lib/repos/reclaim/reclaim.ts';

const app = await createApp({ config: loadConfig(), program: 'gc test' });
const { at, ...options } = JSON.parse(process.argv[2] ?? '{}');
const outcome = await reclaim(
  app,
  { pinned: async () => [] },
  { cause: 'command', isDry: false, ...options, ...(at && { at: new Date(at) }) },
);
console.log(JSON.stringify(outcome));
await closeApp(app);

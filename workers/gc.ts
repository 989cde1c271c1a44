/** `npm run gc`: collects garbage, or with `--dry-run` lists what would go and when. Exit status 2 when the brake stopped it. */
import { parseArgs } from 'node:util';
import { loadConfig } from '#lib/base/config.ts';
import { pinnedCommits } from '#lib/endpoints/pinned-commits.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { reclaim } from '#lib/repos/reclaim/reclaim.ts';
import { describeItem, describeOutcome } from '#lib/repos/reclaim/report.ts';

const { values } = parseArgs({
  options: {
    'dry-run': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    now: { type: 'boolean', default: false },
    'drop-pins': { type: 'boolean', default: false },
    force: { type: 'boolean', default: false },
  },
});

const isDry = values['dry-run'];
const app = await createApp({ config: loadConfig(), program: 'gc' });
const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
try {
  const outcome = await reclaim(
    app,
    {
      pinned: pinnedCommits,
      ...(isDry && {
        onItem: (item) => console.log(values.json ? JSON.stringify(item) : describeItem(item)),
      }),
    },
    {
      cause: 'command',
      isDry,
      isNow: values.now,
      isForced: values.force,
      dropsPins: values['drop-pins'],
      signal: stop.signal,
      ...(process.stderr.isTTY && { onPhase: (phase) => process.stderr.write(`\r\u001b[K${phase}`) }),
    },
  );
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  console.log(values.json ? JSON.stringify(outcome) : describeOutcome(outcome, isDry));
  process.exitCode = { done: 0, stopped: 2, refused: 3, failed: 1, running: 1 }[outcome.state];
} finally {
  await closeApp(app);
}

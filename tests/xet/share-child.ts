/** A process that shares the chunks of the given files, as a worker does; the test arms a failpoint in it. */
import { loadConfig } from '#lib/base/config.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { shareChunks } from '#lib/repos/files/xet/share-chunks.ts';

const app = await createApp({ config: loadConfig(), program: 'worker' });
const fileIds = process.argv.slice(2).map(Number);
process.stdout.write(`changed ${await shareChunks(app, { fileIds }, new AbortController().signal)}\n`);
await closeApp(app);
process.exit(0);

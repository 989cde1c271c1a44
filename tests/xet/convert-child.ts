/** Converts the whole files of one repo as a worker does, in a process that may be killed at a failpoint. */
import { loadConfig } from '#lib/base/config.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { convertRepo } from '#lib/repos/files/xet/convert-repo.ts';

const app = await createApp({ config: loadConfig(), program: 'worker' });
const converted = await convertRepo(app, Number(process.argv[2]) as RepoId, new AbortController().signal);
process.stdout.write(`converted ${converted}\n`);
await closeApp(app);
process.exit(0);

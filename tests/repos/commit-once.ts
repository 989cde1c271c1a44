/** A process that makes one commit as `alice` and prints its result; the crash test arms a failpoint in it. */
import { loadConfig } from '#lib/base/config.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { file, header } from './people.ts';

const app = await createApp({ config: loadConfig(), program: 'crash test' });
const ctx = {
  ...app,
  principal: JSON.parse(process.argv[2] ?? '{}'),
  requestId: 'crash',
  ip: null,
  signal: new AbortController().signal,
  publicUrl: 'http://localhost',
};
const result = await createCommit(
  ctx,
  { type: 'model', namespace: 'alice', name: 'r' },
  {
    revision: 'main',
    header: header('crash'),
    operations: [file('a/b', 'x'), { kind: 'deleteFile', path: 'old' }],
  },
);
console.log(JSON.stringify({ commitOid: result.commitOid, changed: result.changed }));
await closeApp(app);

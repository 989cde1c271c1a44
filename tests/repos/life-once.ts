/** A process that does one thing to alice's repo `r` and prints `done`; the crash test arms a failpoint in it. */
import { loadConfig } from '#lib/base/config.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { deleteLfsFiles } from '#lib/repos/delete-lfs-files.ts';
import { duplicateRepo } from '#lib/repos/duplicate-repo.ts';
import { indexPaths } from '#lib/repos/index-paths.ts';
import { moveRepo } from '#lib/repos/move-repo.ts';
import { restoreBranch } from '#lib/repos/restore-branch.ts';
import { superSquash } from '#lib/repos/super-squash.ts';
import type { RepoRef } from '#lib/repos/types.ts';

const app = await createApp({ config: loadConfig(), program: 'crash test' });
const { principal, repoId, what, sha256, oid } = JSON.parse(process.argv[2] ?? '{}');
const signal = new AbortController().signal;
const ctx = { ...app, principal, requestId: 'crash', ip: null, signal, publicUrl: 'http://localhost' };
const repo: RepoRef = { type: 'model', namespace: 'alice', name: 'r' };
const actions: Record<string, () => Promise<unknown>> = {
  squash: () => superSquash(ctx, repo, 'main', 'one'),
  rewrite: () => deleteLfsFiles(ctx, repo, [sha256], { rewriteHistory: true }),
  restore: () => restoreBranch(ctx, repo, { branch: 'main', oid }),
  move: () => moveRepo(ctx, repo, { namespace: 'alice', name: 'moved' }),
  duplicate: () => duplicateRepo(ctx, repo, { namespace: 'alice', name: 'copy' }),
  paths: () => indexPaths(app, repoId, signal),
};
await actions[what]?.();
console.log('done');
await closeApp(app);

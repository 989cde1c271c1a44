import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { bytesText, compileGlob } from '../git/wildmatch.ts';
import { listBranchRules } from '../list-branch-rules.ts';
import { baseBranch } from '../pulls/create-discussion.ts';
import { resolveRevision } from '../resolve-revision.ts';
import type { Repo, RepoRef } from '../types.ts';
import { requireWritableRef } from '../writable-ref.ts';
import { requireUpload, type UploadRight } from './require-upload.ts';

/** Throws forbidden when the branch takes changes by pull requests only: nothing sent to it could ever be committed. */
async function refuseProtected(ctx: Pick<Ctx, 'db'>, repo: Repo, ref: string): Promise<void> {
  if (!ref.startsWith('refs/heads/')) return;
  const branch = ref.slice('refs/heads/'.length);
  const rules = await listBranchRules(ctx.db, repo.id);
  const matches = (pattern: string) => compileGlob(bytesText(pattern)).matches(bytesText(branch));
  if (rules.some((rule) => rule.requirePullRequest && matches(rule.pattern)))
    throw hubError('forbidden', `Branch ${branch} is protected: changes come in through pull requests only`);
}

/**
 * Who may upload files that shall be committed to `revision`, or proposed to it with `createPr`: requireUpload, and the
 * revision is there and takes such a commit. Throws repo_not_found, unauthenticated, forbidden, revision_not_found.
 */
export async function requireTarget(
  ctx: Pick<Ctx, 'db' | 'principal' | 'clock'>,
  repoRef: RepoRef,
  target: { readonly revision: string; readonly createPr: boolean },
): Promise<UploadRight> {
  const right = await requireUpload(ctx, repoRef, target);
  const { repo } = right;
  if (target.createPr) await baseBranch(ctx, repo, target.revision);
  else {
    const { ref } = await requireWritableRef(ctx, repoRef, target.revision);
    await resolveRevision(ctx.db, repo, ref);
    await refuseProtected(ctx, repo, ref);
  }
  return right;
}

import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canChangeAnything, canWrite } from '#lib/identity/policy.ts';
import { accessRefused, requireRead, requireWrite } from './access.ts';
import { findPullAuthor } from './pulls/find-pull-author.ts';
import { numOfPullRef } from './pulls/types.ts';
import { refNamesOf, revisionNotFound } from './resolve-revision.ts';
import type { Repo, RepoRef } from './types.ts';

export interface WritableRef {
  readonly repo: Repo;
  /** Full name: a branch or refs/pr/N. */
  readonly ref: string;
}

/** A pull request's ref: its author may commit to it, and who may write to the repo. */
async function pullRefOf(ctx: Pick<Ctx, 'db' | 'principal'>, repoRef: RepoRef, num: number, ref: string) {
  const repo = await requireRead(ctx, repoRef);
  const { principal } = ctx;
  const pull = await findPullAuthor(ctx.db, repo.id, num);
  const isAuthor = principal.kind === 'user' && principal.id === pull?.authorId;
  if (!canWrite(principal, repo) && !(isAuthor && canChangeAnything(principal)))
    throw accessRefused(principal, 'to upload to this pull request');
  if (pull === null) throw revisionNotFound(ref);
  if (pull.status === 'merged' || pull.status === 'closed')
    throw hubError('forbidden', `Pull request #${num} is ${pull.status}: it takes no more commits`);
  return { repo, ref };
}

/**
 * The ref that a revision names, if the caller may commit to it: a branch (by short or full name; `HEAD` and `None` mean
 * the default one) with the right to write, refs/pr/N also as the pull request's author. Whether the branch exists is
 * not looked at. Throws repo_not_found, unauthenticated, forbidden, revision_not_found (tags, oids and other refs take no
 * commits).
 */
export async function requireWritableRef(
  ctx: Pick<Ctx, 'db' | 'principal'>,
  repoRef: RepoRef,
  revision: string,
): Promise<WritableRef> {
  const num = numOfPullRef(revision);
  if (num !== null) return pullRefOf(ctx, repoRef, num, revision);
  const repo = await requireWrite(ctx, repoRef);
  const [ref] = refNamesOf(revision, repo.defaultBranch);
  if (ref === undefined || !ref.startsWith('refs/heads/')) throw revisionNotFound(revision);
  return { repo, ref };
}

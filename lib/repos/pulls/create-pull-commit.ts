import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { isAncestor } from '../commits-db.ts';
import { type CommitRequest, messageOf } from '../create-commit.ts';
import { draftCommit } from '../draft-commit.ts';
import { insertObjects } from '../git/db.ts';
import { indexCommits } from '../index-commits.ts';
import { resolveRevision } from '../resolve-revision.ts';
import { stageOperations } from '../stage-operations.ts';
import type { CommitHeader, Repo, RepoRef } from '../types.ts';
import { baseBranch, openDiscussion } from './create-discussion.ts';
import { checkText, countWriting, requireParticipant } from './participation.ts';

export interface PullCommit {
  readonly repo: Repo;
  /** Number of the new pull request. */
  readonly num: number;
  readonly commitOid: Oid;
}

const MAX_TITLE = 200;
const MIN_TITLE = 3;

/** The first line of a commit's message as a title: cut where it is too long, told what it is where it is too short. */
function titleOf(header: CommitHeader): string {
  const [line = ''] = header.summary
    .trim()
    .replaceAll(/\p{Cc}+/gu, '\n')
    .split('\n');
  const title = line.length < MIN_TITLE ? `Change: ${line}` : line;
  return (title.length > MAX_TITLE ? `${title.slice(0, MAX_TITLE - 1)}…` : title).toWellFormed();
}

/** The commit that a pull request begins at: the branch's head, or the ancestor of it that the client names. */
async function startOf(ctx: Ctx, repo: Repo, baseOid: Oid, parentCommit: string | null): Promise<Oid> {
  if (parentCommit === null) return baseOid;
  const { commitOid } = await resolveRevision(ctx.db, repo, parentCommit);
  if (await isAncestor(ctx.db, repo.id, commitOid, baseOid)) return commitOid;
  throw hubError('invalid_input', `"parentCommit": ${parentCommit} is not in the history of the branch`);
}

/**
 * Opens a pull request with one commit: the operations on top of a branch (or of an earlier commit of it, when the
 * client names a parent). Who may read the repo may; large files must have been uploaded to the repo before. Commit,
 * number, ref, events and audit are one transaction. Throws repo_not_found, unauthenticated, forbidden,
 * revision_not_found (no branch), entry_not_found, invalid_path, invalid_input (also when nothing changes),
 * invalid_object, rate_limited.
 */
export async function createPullCommit(ctx: Ctx, ref: RepoRef, request: CommitRequest): Promise<PullCommit> {
  const { repo, user } = await requireParticipant(ctx, ref);
  const { baseRef, baseOid } = await baseBranch(ctx, repo, request.revision);
  const message = messageOf(request.header);
  const title = titleOf(request.header);
  const description = checkText(request.header.description, 'description', { optional: true });
  const start = await startOf(ctx, repo, baseOid, request.header.parentCommit);
  await countWriting(ctx, user, 'opened');
  const staged = await stageOperations(ctx, repo.id, request.operations);
  const intent = { repo, branch: baseRef, message, parentCommit: null, staged };
  const draft = await draftCommit(ctx, ctx.db, intent, start);
  if (draft === null)
    throw hubError('invalid_input', 'These operations change nothing: no pull request was opened');
  const { sealed, commit, objects } = draft;
  const num = await transaction(ctx.db, async (tx) => {
    await insertObjects(tx, repo.id, [...objects, sealed]);
    await indexCommits(tx, repo.id, [{ oid: sealed.oid, commit, userId: user.id }]);
    await failpoint('pull.before-open');
    const pull = { baseRef, headOid: sealed.oid };
    return openDiscussion(tx, ctx, { repo, title, description, status: 'open', authorId: user.id, pull });
  });
  return { repo, num, commitOid: sealed.oid };
}

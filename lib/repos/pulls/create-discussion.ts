import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { isAncestor } from '../commits-db.ts';
import { auditSubject, moveRef } from '../move-ref.ts';
import { refNamesOf, resolveRevision, revisionNotFound } from '../resolve-revision.ts';
import type { Repo, RepoRef } from '../types.ts';
import { insertDiscussion, takeNumber } from './discussions-db.ts';
import { insertEvents } from './events-db.ts';
import { checkText, checkTitle, countWriting, requireParticipant } from './participation.ts';
import { type DiscussionStatus, pullRef } from './types.ts';

export interface NewDiscussion {
  readonly title: string;
  /** Markdown: the first comment. */
  readonly description: string;
  /** Null for a discussion. */
  readonly pull: {
    /** Branch it shall go to; the default branch when absent. */
    readonly base?: string | undefined;
    /** Revision that it proposes; absent: it begins as the base is, and commits follow. */
    readonly head?: string | undefined;
  } | null;
}

/** A title and description that were checked. */
interface Opening {
  readonly repo: Repo;
  readonly title: string;
  readonly description: string;
  readonly status: DiscussionStatus;
  readonly authorId: string;
  readonly pull: { readonly baseRef: string; readonly headOid: Oid } | null;
}

/**
 * Inside the caller's transaction: the next number, the discussion, its first comment and, for a pull request, its ref
 * with the commits that it proposes. Objects and the commit index must have been written before.
 */
export async function openDiscussion(tx: Tx, ctx: Ctx, opening: Opening): Promise<number> {
  const { repo, authorId, pull } = opening;
  const num = await takeNumber(tx, repo.id);
  await insertDiscussion(tx, { ...opening, repoId: repo.id, num });
  await insertEvents(tx, { repoId: repo.id, num }, authorId, [
    { kind: 'comment', data: {}, content: opening.description },
  ]);
  await audit(tx, ctx, {
    action: pull === null ? 'discussion.open' : 'pull.open',
    subject: auditSubject(repo),
    details: { num },
  });
  if (pull === null) return num;
  const move = { repo, ref: pullRef(num), oldOid: null, newOid: pull.headOid, reason: 'pull' } as const;
  if (!(await moveRef(tx, ctx, move))) throw hubError('busy', `${move.ref} is being made; try again`);
  return num;
}

/** The branch that a pull request shall go to. Throws revision_not_found for tags, oids and what is not there. */
export async function baseBranch(
  ctx: Pick<Ctx, 'db'>,
  repo: Repo,
  revision: string,
): Promise<{ baseRef: string; baseOid: Oid }> {
  const [name] = refNamesOf(revision, repo.defaultBranch);
  if (name === undefined || !name.startsWith('refs/heads/')) throw revisionNotFound(revision);
  const { commitOid } = await resolveRevision(ctx.db, repo, name);
  return { baseRef: name, baseOid: commitOid };
}

/** Where a pull request begins. Throws invalid_input when its head holds nothing that its base has not. */
async function proposalOf(ctx: Ctx, repo: Repo, { base, head }: NonNullable<NewDiscussion['pull']>) {
  const { baseRef, baseOid } = await baseBranch(ctx, repo, base ?? '');
  if (head === undefined) return { baseRef, headOid: baseOid };
  const { commitOid } = await resolveRevision(ctx.db, repo, head);
  if (await isAncestor(ctx.db, repo.id, commitOid, baseOid))
    throw hubError(
      'invalid_input',
      `"head": ${head} holds no commit that ${baseRef.slice('refs/heads/'.length)} has not`,
    );
  return { baseRef, headOid: commitOid };
}

/**
 * Opens a discussion, or a pull request: refs/pr/N is made at once. Without a head the pull request is a draft at the
 * base, to which commits are pushed; with one it is open and proposes that revision's commits. One transaction with
 * number, first comment, ref, reflog and audit event. Throws repo_not_found, unauthenticated, forbidden, invalid_input,
 * revision_not_found, rate_limited.
 */
export async function createDiscussion(
  ctx: Ctx,
  ref: RepoRef,
  request: NewDiscussion,
): Promise<{ repo: Repo; num: number }> {
  const { repo, user } = await requireParticipant(ctx, ref);
  const title = checkTitle(request.title);
  const description = checkText(request.description, 'description', { optional: true });
  const pull = request.pull === null ? null : await proposalOf(ctx, repo, request.pull);
  await countWriting(ctx, user, 'opened');
  const status = request.pull !== null && request.pull.head === undefined ? 'draft' : 'open';
  const num = await transaction(ctx.db, (tx) =>
    openDiscussion(tx, ctx, { repo, title, description, status, authorId: user.id, pull }),
  );
  return { repo, num };
}

import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canChangeAnything, canWrite } from '#lib/identity/policy.ts';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { countAttempt } from '#lib/identity/throttle.ts';
import { accessRefused, requireRead } from '../access.ts';
import type { Repo, RepoRef } from '../types.ts';
import { areDiscussionsDisabled, readDiscussion } from './discussions-db.ts';
import type { Discussion } from './types.ts';

type Asking = Pick<Ctx, 'db' | 'principal' | 'clock'>;

const HOUR_SECONDS = 3600;
const OPENED_PER_HOUR = 120;
const WRITTEN_PER_HOUR = 1200;
const MAX_TITLE = 200;
const MIN_TITLE = 3;
const MAX_TEXT = 65_536;

/** A repo and the signed-in user who takes part in its discussions. */
export interface Participation {
  readonly repo: Repo;
  readonly user: UserPrincipal;
  /** May change the repo's content, and so merge, pin and hide what others wrote. */
  readonly isWriter: boolean;
}

/**
 * Who may read a repo may discuss it, signed in and not with a read-only token. Throws repo_not_found,
 * unauthenticated, forbidden (also when the repo has its discussions turned off).
 */
export async function requireParticipant(ctx: Asking, ref: RepoRef): Promise<Participation> {
  const repo = await requireRead(ctx, ref);
  const { principal } = ctx;
  if (principal.kind !== 'user' || !canChangeAnything(principal))
    throw accessRefused(principal, 'to take part in discussions');
  if (await areDiscussionsDisabled(ctx.db, repo.id))
    throw hubError('forbidden', 'Discussions and pull requests are turned off for this repository');
  return { repo, user: principal, isWriter: canWrite(principal, repo) };
}

/** requireParticipant and the discussion itself. Throws not_found too. */
export async function requireDiscussion(
  ctx: Asking,
  ref: RepoRef,
  num: number,
): Promise<Participation & { discussion: Discussion }> {
  const participation = await requireParticipant(ctx, ref);
  return { ...participation, discussion: await readDiscussion(ctx.db, participation.repo.id, num) };
}

/** Whether the participant wrote the discussion or may write to the repo. */
function isAuthorOrWriter({ user, isWriter }: Participation, discussion: Discussion): boolean {
  return isWriter || discussion.author?.id === user.id;
}

/** requireDiscussion, then forbidden unless the caller is its author or may write to the repo. `may` ends "you cannot …". */
export async function requireSteward(
  ctx: Asking,
  ref: RepoRef,
  num: number,
  may: string,
): Promise<Participation & { discussion: Discussion }> {
  const found = await requireDiscussion(ctx, ref, num);
  if (!isAuthorOrWriter(found, found.discussion))
    throw hubError('forbidden', `Only its author and who may write to the repository can ${may}`);
  return found;
}

/** requireDiscussion, then forbidden unless the caller may write to the repo. */
export async function requireMaintainer(
  ctx: Asking,
  ref: RepoRef,
  num: number,
  may: string,
): Promise<Participation & { discussion: Discussion }> {
  const found = await requireDiscussion(ctx, ref, num);
  if (!found.isWriter) throw hubError('forbidden', `Only who may write to the repository can ${may}`);
  return found;
}

/** Counts one thing written by the user, so that nobody floods a hub with texts. Throws rate_limited. */
export async function countWriting(
  ctx: Pick<Ctx, 'db' | 'clock'>,
  user: UserPrincipal,
  kind: 'opened' | 'written',
): Promise<void> {
  const written = {
    what: 'discussion texts',
    whom: user.id,
    limit: WRITTEN_PER_HOUR,
    windowSeconds: HOUR_SECONDS,
  };
  const opened = { ...written, what: 'discussions opened', limit: OPENED_PER_HOUR };
  await countAttempt(ctx, kind === 'opened' ? [written, opened] : [written]);
}

/** A title without surrounding blanks. Throws invalid_input unless it has 3 to 200 characters in one line. */
export function checkTitle(text: string): string {
  const title = text.trim();
  if (title.length < MIN_TITLE || title.length > MAX_TITLE)
    throw hubError('invalid_input', `"title" must have ${MIN_TITLE} to ${MAX_TITLE} characters`);
  if (/\p{Cc}/u.test(title))
    throw hubError('invalid_input', '"title" must be one line without control characters');
  return title.toWellFormed();
}

/** A text of Markdown. Throws invalid_input when it is longer than 65,536 characters or, unless `optional`, empty. */
export function checkText(text: string, key: string, { optional = false } = {}): string {
  if (text.length > MAX_TEXT)
    throw hubError('invalid_input', `"${key}" is longer than ${MAX_TEXT} characters`);
  if (!optional && text.trim() === '') throw hubError('invalid_input', `"${key}" must not be empty`);
  return text.replaceAll('\0', '').toWellFormed();
}

import type { Ctx } from '#lib/identity/context.ts';
import { canChangeAnything } from '#lib/identity/policy.ts';
import { selectSummaries } from '#lib/repos/commits-db.ts';
import { EMPTY_TREE_OID } from '#lib/repos/git/tree.ts';
import { areDiscussionsDisabled } from '#lib/repos/pulls/discussions-db.ts';
import { getDiscussion } from '#lib/repos/pulls/get-discussion.ts';
import type { MergeState } from '#lib/repos/pulls/read-merge-state.ts';
import type { Discussion, DiscussionEvent, EventOf, LineAnchor } from '#lib/repos/pulls/types.ts';
import type { CommitSummary, Repo, RepoRef } from '#lib/repos/types.ts';
import { render } from '../markdown/render-pool.ts';
import { type ShownComparison, showComparison } from './compare-page.ts';
import { type RepoOverview, repoOverview } from './repo-overview.ts';

/** Which part of a pull request's page is looked at. */
export type DiscussionPart = 'conversation' | 'commits' | 'files';

/** A comment as it is shown. */
export interface ShownComment {
  readonly id: string;
  /** Null once the account is gone. */
  readonly author: string | null;
  readonly createdAt: Date;
  readonly editedAt: Date | null;
  readonly isHidden: boolean;
  /** Sanitized; null when the text could not be rendered in time: then show `raw`. */
  readonly html: string | null;
  readonly raw: string;
  readonly anchor: LineAnchor | null;
  readonly mayEdit: boolean;
  readonly mayHide: boolean;
}

export type ShownEvent =
  | { readonly kind: 'comment'; readonly comment: ShownComment }
  | { readonly kind: 'other'; readonly event: Exclude<DiscussionEvent, EventOf<'comment'>> };

/** What the reader may do here. */
export interface DiscussionRights {
  readonly signedIn: boolean;
  readonly takePart: boolean;
  /** Rename, open, close, rebase: its author, and who may write to the repo. */
  readonly steer: boolean;
  /** Merge, pin, delete: who may write to the repo. */
  readonly maintain: boolean;
}

export interface DiscussionPageModel {
  readonly overview: RepoOverview;
  readonly discussion: Discussion;
  readonly events: readonly ShownEvent[];
  /** Events in the middle of a long conversation that are not shown. */
  readonly skipped: number;
  readonly may: DiscussionRights;
  readonly merge: MergeState | null;
  /** Newest first; only for the part `commits`. */
  readonly commits: readonly CommitSummary[];
  /** Only for the part `files`. */
  readonly changes: ShownComparison | null;
}

/** A conversation longer than this shows its beginning and its end, unless all is asked for. */
const MAX_EVENTS = 300;
const FIRST_EVENTS = 20;
/** Texts are rendered a few at a time, and for so long; what is left is shown as it was written. */
const RENDER_AT_ONCE = 4;
const RENDER_MS = 10_000;

async function renderAll(ctx: Ctx, repo: Repo, texts: readonly string[]): Promise<(string | null)[]> {
  const { type, namespace, name, defaultBranch: revision } = repo;
  const place = { repo: { type, namespace, name }, revision, folder: '' };
  const until = ctx.clock.now() + RENDER_MS;
  const rendered: (string | null)[] = [];
  for (let at = 0; at < texts.length; at += RENDER_AT_ONCE) {
    const some = texts.slice(at, at + RENDER_AT_ONCE);
    const isLate = ctx.clock.now() > until;
    rendered.push(
      ...(await Promise.all(
        some.map(async (text) => (isLate ? null : render({ kind: 'markdown', text, place }))),
      )),
    );
  }
  return rendered;
}

function rightsOf(
  { principal }: Ctx,
  { mayWrite }: RepoOverview,
  { author }: Discussion,
  isDisabled: boolean,
): DiscussionRights {
  const takePart = canChangeAnything(principal) && !isDisabled;
  const isAuthor = principal.kind === 'user' && principal.id === author?.id;
  return {
    signedIn: principal.kind === 'user',
    takePart,
    steer: takePart && (mayWrite || isAuthor),
    maintain: takePart && mayWrite,
  };
}

async function shownEvents(
  ctx: Ctx,
  repo: Repo,
  events: readonly DiscussionEvent[],
  may: DiscussionRights,
): Promise<ShownEvent[]> {
  const comments = events.flatMap((event) => (event.kind === 'comment' ? [event] : []));
  const htmls = await renderAll(
    ctx,
    repo,
    comments.map((event) => event.comment.raw),
  );
  const htmlOf = new Map(comments.map((event, i) => [event.id, htmls[i] ?? null]));
  const me = ctx.principal.kind === 'user' ? ctx.principal.id : null;
  return events.map((event): ShownEvent => {
    if (event.kind !== 'comment') return { kind: 'other', event };
    const { id, author, createdAt, comment, data } = event;
    const isMine = author !== null && author.id === me && may.takePart && !comment.isHidden;
    return {
      kind: 'comment',
      comment: {
        id,
        author: author?.name ?? null,
        createdAt,
        editedAt: comment.editedAt,
        isHidden: comment.isHidden,
        html: htmlOf.get(id) ?? null,
        raw: comment.raw,
        anchor: data.anchor ?? null,
        mayEdit: isMine,
        mayHide: isMine || (may.maintain && !comment.isHidden),
      },
    };
  });
}

/** The beginning and the end of a long conversation; in the part `files` the comments that stand at lines. */
function chosenEvents(events: readonly DiscussionEvent[], part: DiscussionPart, all: boolean) {
  if (part === 'commits') return { chosen: [], skipped: 0 };
  if (part === 'files')
    return { chosen: events.filter((event) => event.kind === 'comment' && event.data.anchor), skipped: 0 };
  const skipped = all ? 0 : Math.max(0, events.length - MAX_EVENTS);
  if (skipped === 0) return { chosen: events, skipped };
  return { chosen: [...events.slice(0, FIRST_EVENTS), ...events.slice(FIRST_EVENTS + skipped)], skipped };
}

/** The page of one discussion or pull request, or one part of it. Throws repo_not_found, not_found. */
export async function discussionPage(
  ctx: Ctx,
  ref: RepoRef,
  num: number,
  options: { readonly part: DiscussionPart; readonly all: boolean },
): Promise<DiscussionPageModel> {
  const { part, all } = options;
  const overview = await repoOverview(ctx, ref);
  const { repo } = overview;
  const { discussion, events, merge } = await getDiscussion(ctx, repo, num);
  const may = rightsOf(ctx, overview, discussion, await areDiscussionsDisabled(ctx.db, repo.id));
  const { chosen, skipped } = chosenEvents(events, part, all);
  const shown = await shownEvents(ctx, repo, chosen, may);
  const oids = merge !== null && part === 'commits' ? merge.commits : [];
  const summaries = await selectSummaries(ctx.db, repo.id, oids);
  const changes =
    merge !== null && part === 'files'
      ? await showComparison(ctx, repo, `${merge.baseOid ?? EMPTY_TREE_OID}..${merge.headOid}`)
      : null;
  const commits = oids.flatMap((oid) => summaries.get(oid) ?? []);
  return { overview, discussion, events: shown, skipped, may, merge, commits, changes };
}

import { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { changeStatus, pinDiscussion, renameDiscussion } from '#lib/repos/pulls/change-discussion.ts';
import { createDiscussion } from '#lib/repos/pulls/create-discussion.ts';
import { deleteDiscussion } from '#lib/repos/pulls/delete-discussion.ts';
import { deletePullRef } from '#lib/repos/pulls/delete-pull-ref.ts';
import { editComment, hideComment } from '#lib/repos/pulls/edit-comment.ts';
import { type DiscussionQuery, listDiscussions } from '#lib/repos/pulls/list-discussions.ts';
import { mergePull } from '#lib/repos/pulls/merge-pull.ts';
import { rebasePull } from '#lib/repos/pulls/rebase-pull.ts';
import { pullRef } from '#lib/repos/pulls/types.ts';
import { writeComment } from '#lib/repos/pulls/write-comment.ts';
import { parseInput, type WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Handler, type Method, type Route, type RouteMeta, route } from '../route.ts';
import { sendDiscussion } from './discussion-details.ts';
import { API_REPO, repoRefOf } from './repo-params.ts';
import { serializeDiscussion, serializeEvent } from './serialize-discussion.ts';
import { discussionUrl } from './urls.ts';

const PAGE_SIZE = 50;
const MAX_BODY_BYTES = 512 * 1024;

/** The number in the path; 0, which no discussion has, for anything else. */
const numOf = (req: WireRequest): number => {
  const text = req.param('num');
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : 0;
};

const text = z.string().max(100_000);
const openBody = z.object({
  title: text.default(''),
  description: text.nullish(),
  pullRequest: z.boolean().nullish(),
  base: z.string().max(1024).nullish(),
  head: z.string().max(1024).nullish(),
});
const commentBody = z.object({
  comment: text.default(''),
  path: z.string().max(4096).nullish(),
  side: z.enum(['before', 'after']).nullish(),
  line: z.number().int().nullish(),
});
const statusBody = z.object({ status: z.enum(['open', 'closed']), comment: text.nullish() });
const titleBody = z.object({ title: text.default('') });
const editBody = z.object({ content: text.default('') });
const mergeBody = z.object({ comment: text.nullish() });
const pinBody = z.object({ pinned: z.boolean().default(true) });

const listQuery = z.object({
  type: z.enum(['all', 'discussion', 'pull_request']).default('all'),
  status: z.enum(['all', 'open', 'closed', 'draft', 'merged']).default('all'),
  author: z.string().max(200).optional(),
  search: z.string().max(1000).optional(),
  sort: z.enum(['recently-created', 'trending', 'reactions']).default('recently-created'),
  p: z
    .string()
    .regex(/^\d{1,6}$/, 'must be the number of a page, from 0')
    .default('0'),
});
const SORTS: Record<z.infer<typeof listQuery>['sort'], DiscussionQuery['sort']> = {
  'recently-created': 'recently-created',
  trending: 'recently-updated',
  reactions: 'most-discussed',
};

async function sendList(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { p, sort, ...filters } = parseInput(listQuery, Object.fromEntries(req.query));
  const query = { ...filters, sort: SORTS[sort], page: Number(p), pageSize: PAGE_SIZE };
  const { repo, discussions, count, start, open, closed } = await listDiscussions(ctx, repoRefOf(req), query);
  sendJson(res, 200, {
    discussions: discussions.map((discussion) => serializeDiscussion(discussion, repo)),
    count,
    start,
    numOpenDiscussions: open,
    numClosedDiscussions: closed,
  });
}

async function open(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { title, description, pullRequest, base, head } = await req.json(openBody, MAX_BODY_BYTES);
  const { repo, num } = await createDiscussion(ctx, repoRefOf(req), {
    title,
    description: description ?? '',
    pull: pullRequest ? { base: base ?? undefined, head: head ?? undefined } : null,
  });
  const url = discussionUrl(ctx.publicUrl, repo, num);
  sendJson(res, 200, {
    num,
    pullRequest: pullRequest === true,
    url,
    ...(pullRequest && { ref: pullRef(num) }),
  });
}

async function comment(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const body = await req.json(commentBody, MAX_BODY_BYTES);
  const { path, side, line } = body;
  if (path && typeof line !== 'number')
    throw hubError('invalid_input', '"line" must come with "path": the line to comment on');
  const anchor = path && line ? { path, line, side: side ?? ('after' as const) } : undefined;
  const { repo, event } = await writeComment(ctx, repoRefOf(req), numOf(req), { text: body.comment, anchor });
  sendJson(res, 201, { newMessage: serializeEvent(event, repo) });
}

async function rename(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { title } = await req.json(titleBody, MAX_BODY_BYTES);
  const { repo, event } = await renameDiscussion(ctx, repoRefOf(req), numOf(req), title);
  sendJson(res, 200, { newTitle: serializeEvent(event, repo) });
}

async function setStatus(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { status, comment: said } = await req.json(statusBody, MAX_BODY_BYTES);
  const change = { status, comment: said ?? undefined };
  const { repo, event } = await changeStatus(ctx, repoRefOf(req), numOf(req), change);
  sendJson(res, 200, { newStatus: serializeEvent(event, repo) });
}

async function edit(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { content } = await req.json(editBody, MAX_BODY_BYTES);
  const change = { id: req.param('event'), text: content };
  const { repo, event } = await editComment(ctx, repoRefOf(req), numOf(req), change);
  sendJson(res, 200, { updatedComment: serializeEvent(event, repo) });
}

async function hide(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { repo, event } = await hideComment(ctx, repoRefOf(req), numOf(req), req.param('event'));
  sendJson(res, 200, { updatedComment: serializeEvent(event, repo) });
}

async function merge(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { comment: said } = await req.json(mergeBody, MAX_BODY_BYTES);
  const options = { comment: said ?? undefined };
  const { mergeCommitOid } = await mergePull(ctx, repoRefOf(req), numOf(req), options);
  sendJson(res, 200, { success: true, mergeCommitId: mergeCommitOid });
}

async function rebase(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { headOid } = await rebasePull(ctx, repoRefOf(req), numOf(req));
  sendJson(res, 200, { success: true, headOid });
}

async function pin(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const { pinned } = await req.json(pinBody);
  await pinDiscussion(ctx, repoRefOf(req), numOf(req), pinned);
  sendJson(res, 200, { pinned });
}

async function remove(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  await deleteDiscussion(ctx, repoRefOf(req), numOf(req));
  sendJson(res, 200, {});
}

async function removeRef(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  await deletePullRef(ctx, repoRefOf(req), numOf(req));
  sendJson(res, 200, {});
}

const LIST = `${API_REPO}/discussions`;
const ONE = `${LIST}/:num`;
const READ: Pick<RouteMeta, 'access'> = { access: 'repo.read' };
/** Who may read a repo may take part: the use case asks for more where more is needed. */
const TAKE_PART: Pick<RouteMeta, 'access' | 'scope'> = { access: 'repo.read', scope: 'write' };
const MAINTAIN: Pick<RouteMeta, 'access'> = { access: 'repo.write' };
const GET: Method[] = ['GET', 'HEAD'];

const at = (
  methods: Method | Method[],
  pattern: string,
  operation: string,
  meta: Omit<RouteMeta, 'operation'>,
  handler: Handler,
): Route => route(methods, pattern, { operation: `discussion.${operation}`, ...meta }, handler);

/** Discussions and pull requests of a repo (hf-api §1.B, §1.D); `rebase` is this hub's own. */
export const discussionRoutes: Route[] = [
  at(GET, LIST, 'list', READ, sendList),
  at('POST', LIST, 'open', TAKE_PART, open),
  at(GET, ONE, 'get', { ...READ, timeoutMs: 300_000 }, (ctx, req, res) =>
    sendDiscussion(ctx, req, res, numOf(req)),
  ),
  at('DELETE', ONE, 'delete', MAINTAIN, remove),
  at('DELETE', `${ONE}/ref`, 'deleteRef', MAINTAIN, removeRef),
  at('POST', `${ONE}/comment`, 'comment', TAKE_PART, comment),
  at('POST', `${ONE}/comment/:event/edit`, 'edit', TAKE_PART, edit),
  at('POST', `${ONE}/comment/:event/hide`, 'hide', TAKE_PART, hide),
  at('POST', `${ONE}/title`, 'rename', TAKE_PART, rename),
  at('POST', `${ONE}/status`, 'status', TAKE_PART, setStatus),
  at('POST', `${ONE}/pin`, 'pin', MAINTAIN, pin),
  at('POST', `${ONE}/merge`, 'merge', MAINTAIN, merge),
  at('POST', `${ONE}/rebase`, 'rebase', TAKE_PART, rebase),
];

import { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';
import { parseOid } from '#lib/base/ids.ts';
import { requireRead, requireWrite } from '#lib/repos/access.ts';
import { listReflog, type ReflogEntry } from '#lib/repos/list-reflog.ts';
import { restoreBranch } from '#lib/repos/restore-branch.ts';
import { revertCommit } from '#lib/repos/revert-commit.ts';
import { API_REPO, repoRefOf } from '../hf/repo-params.ts';
import { pageLimit } from '../hf/tree.ts';
import { apiType, commitUrl, nextLink } from '../hf/urls.ts';
import { sendJson } from '../respond.ts';
import { route } from '../route.ts';

const MAX_BODY_BYTES = 16_384;
const MAX_ENTRIES = 1000;

const serialize = (entry: ReflogEntry) => ({
  id: entry.id,
  ref: entry.ref,
  oldOid: entry.oldOid,
  newOid: entry.newOid,
  reason: entry.reason,
  user: entry.actor,
  date: entry.at.toISOString(),
});

/** Where a ref was, newest first: `refs/heads/x`, or a branch by its short name. */
const reflog = route(
  ['GET', 'HEAD'],
  `${API_REPO}/reflog/*rest`,
  { operation: 'repo.reflog', access: 'repo.write', scope: 'read' },
  async (ctx, req, res) => {
    const repo = await requireWrite(ctx, repoRefOf(req));
    const asked = req.decodedParam('rest');
    const ref = asked.startsWith('refs/') ? asked : `refs/heads/${asked}`;
    const limit = pageLimit(req.query.get('limit'), MAX_ENTRIES);
    const before = req.query.get('cursor')
      ? pageLimit(req.query.get('cursor'), Number.MAX_SAFE_INTEGER, 'cursor')
      : undefined;
    const entries = await listReflog(ctx.db, repo.id, ref, { limit: limit + 1, before });
    const page = entries.slice(0, limit);
    const address = `/api/${apiType(repo.type)}/${repo.namespace}/${repo.name}/reflog/${encodeURIComponent(ref)}`;
    const cursor = String(page.at(-1)?.id ?? 0);
    const headers =
      entries.length > limit ? { link: nextLink(ctx.publicUrl, address, req.query, { cursor }) } : {};
    sendJson(res, 200, page.map(serialize), headers);
  },
);

const oid = z.string().transform((text, issue) => {
  const parsed = parseOid(text);
  if (parsed) return parsed;
  issue.addIssue('must be a commit id of 40 lower-case hex digits');
  return z.NEVER;
});
const restoreBody = z.object({ oid, expected: oid.nullish() });

const restore = route(
  'POST',
  `${API_REPO}/restore/*rest`,
  { operation: 'repo.restoreBranch', access: 'repo.write' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireWrite(ctx, ref); // before the body is judged
    const body = await req.json(restoreBody, MAX_BODY_BYTES);
    const request = { branch: req.decodedParam('rest'), oid: body.oid, expected: body.expected };
    const done = await restoreBranch(ctx, ref, request);
    sendJson(res, 200, { ref: done.ref, targetCommit: body.oid, forced: done.isForced });
  },
);

const revertBody = z.object({
  commit: z.string().max(1024),
  parentCommit: oid.nullish(),
});

const revert = route(
  'POST',
  `${API_REPO}/revert/*rest`,
  { operation: 'repo.revert', access: 'repo.write' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref); // before the body is judged
    const body = await req.json(revertBody, MAX_BODY_BYTES);
    if (body.commit === '') throw hubError('invalid_input', '"commit": name the commit to take back');
    const request = {
      branch: req.decodedParam('rest'),
      commit: body.commit,
      parentCommit: body.parentCommit ?? undefined,
    };
    const { repo, commitOid } = await revertCommit(ctx, ref, request);
    sendJson(res, 200, { commitOid, commitUrl: commitUrl(ctx.publicUrl, repo, commitOid) });
  },
);

export const historyRoutes = [reflog, restore, revert];

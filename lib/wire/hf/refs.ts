import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { fileHistory } from '#lib/repos/file-history.ts';
import { listCommits } from '#lib/repos/list-commits.ts';
import { listRefs } from '#lib/repos/list-refs.ts';
import type { CommitSummary, Repo } from '#lib/repos/types.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { API_REPO, isTrue, repoRefOf, revisionOf } from './repo-params.ts';
import { pageLimit } from './tree.ts';
import { apiType, nextLink } from './urls.ts';

const DEFAULT_COMMITS = '50';
const MAX_COMMITS = 1000;
/** All branches, tags and converts; pull requests too when asked for. */
const refs = route(
  ['GET', 'HEAD'],
  `${API_REPO}/refs`,
  { operation: 'repo.refs', access: 'repo.read' },
  async (ctx, req, res) => {
    const repo = await requireRead(ctx, repoRefOf(req));
    const { pullRequests, ...others } = await listRefs(ctx.db, repo);
    sendJson(res, 200, isTrue(req.query.get('include_prs')) ? { ...others, pullRequests } : others);
  },
);

/** History of a revision, newest first, `p` counting pages from 0. */
const commits = route(
  ['GET', 'HEAD'],
  `${API_REPO}/commits/*rest`,
  { operation: 'repo.commits', access: 'repo.read' },
  async (ctx, req, res) => {
    const repo = await requireRead(ctx, repoRefOf(req));
    const { commitOid } = await revisionOf(ctx, repo, req.param('rest'));
    const { query } = req;
    const limit = pageLimit(query.get('limit') ?? DEFAULT_COMMITS, MAX_COMMITS);
    const page = pageLimit(String(Number(query.get('p') ?? 0) + 1), 1_000_000, 'p') - 1;
    const formatted = [...query.getAll('expand'), ...query.getAll('expand[]')].includes('formatted');
    const path = query.get('path');
    if (path) {
      await sendFileHistory(ctx, req, res, { repo, commitOid, path, page, limit, formatted });
      return;
    }
    const { commits, total } = await listCommits(ctx.db, repo, commitOid, { page, limit });
    const headers: Record<string, string> = { 'x-total-count': String(total), 'x-repo-commit': commitOid };
    const address = `/api/${apiType(repo.type)}/${repo.namespace}/${repo.name}/commits/${commitOid}`;
    if ((page + 1) * limit < total)
      headers.link = nextLink(ctx.publicUrl, address, query, {
        p: String(page + 1),
        limit: String(limit),
      });
    sendJson(
      res,
      200,
      commits.map((commit) => serializeCommit(commit, formatted)),
      headers,
    );
  },
);

/** `path`: this hub's own parameter; the Hub shows such a list on its pages only. */
async function sendFileHistory(
  ctx: Ctx,
  req: WireRequest,
  res: WireResponse,
  asked: { repo: Repo; commitOid: Oid; path: string; page: number; limit: number; formatted: boolean },
): Promise<void> {
  const { repo, commitOid, path, page, limit, formatted } = asked;
  const plain = path.replace(/^\/+|\/+$/g, '');
  const { commits, hasNext } = await fileHistory(ctx.db, repo, commitOid, plain, { page, limit });
  const headers: Record<string, string> = { 'x-repo-commit': commitOid };
  const address = `/api/${apiType(repo.type)}/${repo.namespace}/${repo.name}/commits/${commitOid}`;
  if (hasNext)
    headers.link = nextLink(ctx.publicUrl, address, req.query, { p: String(page + 1), limit: String(limit) });
  const json = commits.map((commit) => ({
    ...serializeCommit(commit, formatted),
    ...(commit.renamedFrom && {
      renamedFrom: { path: commit.renamedFrom.path, revision: commit.renamedFrom.commitOid },
    }),
  }));
  sendJson(res, 200, json, headers);
}

function serializeCommit(commit: CommitSummary, formatted: boolean): Record<string, unknown> {
  return {
    id: commit.oid,
    title: commit.title,
    message: commit.message,
    authors: [{ user: commit.userName ?? commit.authorName, avatar: '' }],
    date: commit.date.toISOString(),
    ...(formatted && { formatted: { title: escapeHtml(commit.title), message: escapeHtml(commit.message) } }),
  };
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char);
}

export const refRoutes: Route[] = [refs, commits];

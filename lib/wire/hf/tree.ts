import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { lastCommits } from '#lib/repos/last-commits.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import { splitRevision } from '#lib/repos/split-revision.ts';
import type { CommitSummary, Repo, TreeEntry } from '#lib/repos/types.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { API_REPO, isTrue, repoRefOf } from './repo-params.ts';
import { serializeEntry } from './serialize-entry.ts';
import { apiType, nextLink } from './urls.ts';

const MAX_ENTRIES = 1000;
const MAX_EXPANDED = 100;

/** One page of a folder; the Link to the next names the commit, so that a push in between cannot mix two trees. */
export const tree: Route = route(
  ['GET', 'HEAD'],
  `${API_REPO}/tree/*rest`,
  { operation: 'repo.tree', access: 'repo.read' },
  sendTree,
);

async function sendTree(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const repo = await requireRead(ctx, repoRefOf(req));
  const { revision, path } = await splitRevision(ctx.db, repo, req.param('rest'));
  const { query } = req;
  const expand = isTrue(query.get('expand'));
  const after = decodeCursor(query.get('cursor'));
  const { entries, next } = await listTree(ctx, repo, revision.commitOid, path, {
    recursive: isTrue(query.get('recursive')),
    limit: pageLimit(query.get('limit'), expand ? MAX_EXPANDED : MAX_ENTRIES),
    ...(after === null ? {} : { after }),
  });
  const commits = expand ? await lastCommitsOf(ctx, repo, revision.commitOid, entries) : undefined;
  const headers: Record<string, string> = { 'x-repo-commit': revision.commitOid };
  if (next !== null) {
    const encoded = path === '' ? '' : `/${path.split('/').map(encodeURIComponent).join('/')}`;
    const address = `/api/${apiType(repo.type)}/${repo.namespace}/${repo.name}/tree/${revision.commitOid}${encoded}`;
    headers.link = nextLink(ctx.publicUrl, address, query, {
      cursor: Buffer.from(next).toString('base64url'),
    });
  }
  const json = entries.map((entry) => serializeEntry(entry, commits?.get(entry.path)));
  sendJson(res, 200, json, headers);
}

/** `limit` of a query clamped to 1..max; max when absent. Throws invalid_input for what is no number. */
export function pageLimit(text: string | null, max: number, name = 'limit'): number {
  if (text === null) return max;
  if (!/^\d+$/.test(text)) throw hubError('invalid_input', `"${name}" must be a whole number`);
  return Math.min(Math.max(Number(text), 1), max);
}

function decodeCursor(cursor: string | null): string | null {
  if (cursor === null || cursor === '') return null;
  if (!/^[\w-]+$/.test(cursor)) throw hubError('invalid_input', '"cursor" is not one that this listing gave');
  return Buffer.from(cursor, 'base64url').toString('utf8');
}

/** The commit that last touched each entry, by path: one walk per folder of the page. */
export async function lastCommitsOf(
  ctx: Ctx,
  repo: Repo,
  commitOid: Oid,
  entries: readonly TreeEntry[],
): Promise<Map<string, CommitSummary>> {
  const byFolder = new Map<string, string[]>();
  for (const { path } of entries) {
    const slash = path.lastIndexOf('/');
    const folder = slash < 0 ? '' : path.slice(0, slash);
    const names = byFolder.get(folder);
    if (names) names.push(path.slice(slash + 1));
    else byFolder.set(folder, [path.slice(slash + 1)]);
  }
  const found = new Map<string, CommitSummary>();
  for (const [folder, names] of byFolder) {
    const commits = await lastCommits(ctx.db, repo, commitOid, folder, names);
    for (const [name, commit] of commits) found.set(folder === '' ? name : `${folder}/${name}`, commit);
  }
  return found;
}

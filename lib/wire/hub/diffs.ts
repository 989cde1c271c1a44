import { hubError } from '#lib/base/errors.ts';
import { diffMeaning } from '#lib/catalog/diff/diff-meaning.ts';
import { diffTensors } from '#lib/catalog/diff/diff-tensors.ts';
import { requireRead } from '#lib/repos/access.ts';
import { compareRevisions } from '#lib/repos/diff/compare-revisions.ts';
import { diffFile } from '#lib/repos/diff/diff-file.ts';
import type { FilePaths } from '#lib/repos/diff/find-change.ts';
import { parseRange } from '#lib/repos/diff/parse-range.ts';
import type { RangeEnd } from '#lib/repos/diff/types.ts';
import { API_REPO, repoRefOf } from '../hf/repo-params.ts';
import { pageLimit } from '../hf/tree.ts';
import { apiType, nextLink } from '../hf/urls.ts';
import type { WireRequest } from '../request.ts';
import { sendJson } from '../respond.ts';
import { type Route, route } from '../route.ts';

const MAX_FILES = 1_000;
const MAX_OFFSET = 1_000_000;
const endOf = ({ name, commitOid }: RangeEnd) => ({ revision: name, commitOid });

/** What differs between two revisions: commits, and a page of files. `pinned` names the same comparison for ever. */
const diff = route(
  ['GET', 'HEAD'],
  `${API_REPO}/diff/*rest`,
  { operation: 'repo.diff', access: 'repo.read' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref);
    const found = await compareRevisions(ctx, ref, parseRange(req.decodedParam('rest')));
    const limit = pageLimit(req.query.get('limit'), MAX_FILES);
    const offset = pageLimit(String(Number(req.query.get('offset') ?? 0) + 1), MAX_OFFSET, 'offset') - 1;
    const { repo, base, head, files, isComplete, pinned } = found;
    const address = `/api/${apiType(repo.type)}/${repo.namespace}/${repo.name}/diff/${pinned}`;
    const headers: Record<string, string> = { 'x-total-count': String(files.length) };
    if (offset + limit < files.length)
      headers.link = nextLink(ctx.publicUrl, address, req.query, { offset: String(offset + limit) });
    const body = {
      mode: found.mode,
      base: endOf(base),
      head: endOf(head),
      mergeBase: found.mergeBase,
      pinned,
      ahead: found.ahead,
      behind: found.behind,
      isCounted: found.isCounted,
      commits: found.commits,
      files: files.slice(offset, offset + limit),
      isComplete,
    };
    sendJson(res, 200, body, headers);
  },
);

/** How one file differs: `?path=`, with `oldPath` of a renamed one, and `context` lines around each change. */
const file = route(
  ['GET', 'HEAD'],
  `${API_REPO}/diff-file/*rest`,
  { operation: 'repo.diffFile', access: 'repo.read' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref);
    const context = req.query.get('context');
    const found = await diffFile(ctx, ref, parseRange(req.decodedParam('rest')), {
      ...pathsOf(req),
      ...(context === null ? {} : { context: pageLimit(context, 100_000, 'context') }),
    });
    sendJson(res, 200, found);
  },
);

/** How the weights differ, tensor by tensor. Asked again until `state` is `ready`: hashes and distances take time. */
const tensors = route(
  ['GET', 'HEAD'],
  `${API_REPO}/diff-tensors/*rest`,
  { operation: 'repo.diffTensors', access: 'repo.read' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref);
    sendJson(res, 200, await diffTensors(ctx, ref, parseRange(req.decodedParam('rest'))));
  },
);

/** How a card, configuration or vocabulary differs by what it means: `?path=`, with `oldPath` of a renamed one. */
const meaning = route(
  ['GET', 'HEAD'],
  `${API_REPO}/diff-meaning/*rest`,
  { operation: 'repo.diffMeaning', access: 'repo.read' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref);
    sendJson(res, 200, await diffMeaning(ctx, ref, parseRange(req.decodedParam('rest')), pathsOf(req)));
  },
);

/** The file that a query names. */
function pathsOf(req: WireRequest): FilePaths {
  const path = req.query.get('path');
  if (!path) throw hubError('invalid_input', '"path" must name a file: add ?path=…');
  return { path, oldPath: req.query.get('oldPath') };
}

export const diffRoutes: readonly Route[] = [diff, file, tensors, meaning];

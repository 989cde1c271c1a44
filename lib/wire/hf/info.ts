import { factsOf } from '#lib/catalog/facts-of.ts';
import { listFiles } from '#lib/catalog/list-files.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { parseExpand } from './parse-expand.ts';
import { API_REPO, isTrue, repoRefOf, revisionOf } from './repo-params.ts';
import { infoFields, serializeRepo } from './serialize-repo.ts';

const NEEDS_NO_FACTS = new Set(
  'author createdAt disabled downloads downloadsAllTime gated lastModified likes private sha siblings trendingScore xetEnabled gitalyUid'.split(
    ' ',
  ),
);

/** Everything known of one repo at one revision (default: the head), or just what `expand` names. */
export const info: Route = route(
  ['GET', 'HEAD'],
  [`${API_REPO}/revision/*rest`, API_REPO],
  { operation: 'repo.info', access: 'repo.read' },
  sendInfo,
);

async function sendInfo(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const repo = await requireRead(ctx, repoRefOf(req));
  const fields = parseExpand(repo.type, req.query) ?? infoFields(repo.type);
  const { commitOid } = await revisionOf(ctx, repo, req.params.rest ?? 'HEAD');
  const [facts, siblings] = await Promise.all([
    fields.every((field) => NEEDS_NO_FACTS.has(field)) ? null : factsOf(ctx, repo),
    fields.includes('siblings') ? listFiles(ctx, repo, commitOid, Number.POSITIVE_INFINITY) : null,
  ]);
  const blobs = isTrue(req.query.get('blobs'));
  const json = serializeRepo({ repo, sha: commitOid, facts, siblings, blobs }, fields);
  if (isTrue(req.query.get('securityStatus')))
    json.securityRepoStatus = { scansDone: false, filesWithIssues: [] };
  sendJson(res, 200, json, { 'x-repo-commit': commitOid });
}

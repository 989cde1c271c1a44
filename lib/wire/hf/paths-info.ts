import { z } from 'zod';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { pathsInfo as readPathsInfo } from '#lib/repos/read-tree.ts';
import { parseInput, type WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { API_REPO, isTrue, repoRefOf, revisionOf } from './repo-params.ts';
import { serializeEntry } from './serialize-entry.ts';
import { lastCommitsOf } from './tree.ts';

const MAX_PATHS = 10_000;
const MAX_BODY_BYTES = 8 * 1024 * 1024;
const path = z.string().max(4096);
const pathsBody = z.object({
  paths: z.union([path.transform((one) => [one]), z.array(path).max(MAX_PATHS)]),
  expand: z.union([z.boolean(), z.string()]).optional(),
});

/** The entries at the given paths, missing ones left out. Python sends a form, JavaScript JSON. */
export const pathsInfo: Route = route(
  'POST',
  `${API_REPO}/paths-info/*rest`,
  { operation: 'repo.pathsInfo', access: 'repo.read', scope: 'read' },
  sendPathsInfo,
);

async function sendPathsInfo(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const repo = await requireRead(ctx, repoRefOf(req));
  const { commitOid } = await revisionOf(ctx, repo, req.param('rest'));
  const body = await readBody(req);
  const entries = await readPathsInfo(ctx, repo, commitOid, body.paths);
  const commits = isTrue(body.expand) ? await lastCommitsOf(ctx, repo, commitOid, entries) : undefined;
  const json = entries.map((entry) => serializeEntry(entry, commits?.get(entry.path)));
  sendJson(res, 200, json, { 'x-repo-commit': commitOid });
}

async function readBody(req: WireRequest): Promise<z.infer<typeof pathsBody>> {
  if (!req.header('content-type')?.startsWith('application/x-www-form-urlencoded'))
    return req.json(pathsBody, MAX_BODY_BYTES);
  const form = new URLSearchParams((await req.body(MAX_BODY_BYTES)).toString('utf8'));
  return parseInput(pathsBody, {
    paths: [...form.getAll('paths'), ...form.getAll('paths[]')],
    expand: form.get('expand') ?? undefined,
  });
}

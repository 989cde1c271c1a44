import { z } from 'zod';
import { requireRead } from '#lib/repos/access.ts';
import { listBranchRules } from '#lib/repos/list-branch-rules.ts';
import { protectBranch } from '#lib/repos/protect-branch.ts';
import { setDefaultBranch } from '#lib/repos/set-default-branch.ts';
import { unprotectBranch } from '#lib/repos/unprotect-branch.ts';
import { API_REPO, repoRefOf } from '../hf/repo-params.ts';
import { sendJson } from '../respond.ts';
import { route } from '../route.ts';

const MAX_BODY_BYTES = 16_384;

const defaultBody = z.object({ branch: z.string().max(1024) });

const setDefault = route(
  'PUT',
  `${API_REPO}/default-branch`,
  { operation: 'repo.setDefaultBranch', access: 'repo.admin' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref); // before the body is judged
    const { branch } = await req.json(defaultBody, MAX_BODY_BYTES);
    await setDefaultBranch(ctx, ref, branch);
    sendJson(res, 200, { branch });
  },
);

const rules = route(
  ['GET', 'HEAD'],
  `${API_REPO}/protected-branches`,
  { operation: 'repo.branchRules', access: 'repo.read' },
  async (ctx, req, res) => {
    const repo = await requireRead(ctx, repoRefOf(req));
    sendJson(res, 200, await listBranchRules(ctx.db, repo.id));
  },
);

const ruleBody = z.object({ pattern: z.string(), requirePullRequest: z.boolean().default(false) });

const protect = route(
  'POST',
  `${API_REPO}/protected-branches`,
  { operation: 'repo.protectBranch', access: 'repo.admin' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref); // before the body is judged
    sendJson(res, 200, await protectBranch(ctx, ref, await req.json(ruleBody, MAX_BODY_BYTES)));
  },
);

const unprotect = route(
  'DELETE',
  `${API_REPO}/protected-branches/*rest`,
  { operation: 'repo.unprotectBranch', access: 'repo.admin' },
  async (ctx, req, res) => {
    await unprotectBranch(ctx, repoRefOf(req), req.decodedParam('rest'));
    sendJson(res, 200, {});
  },
);

export const branchRoutes = [setDefault, rules, protect, unprotect];

import { z } from 'zod';
import { hubError } from '#lib/base/errors.ts';
import { createBranch } from '#lib/repos/create-branch.ts';
import { deleteBranch } from '#lib/repos/delete-branch.ts';
import { sendJson } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { API_REPO, repoRefOf } from './repo-params.ts';

const branchBody = z.object({
  startingPoint: z.string().max(1024).nullish(),
  emptyBranch: z.boolean().nullish(),
  overwrite: z.boolean().nullish(),
});

const create = route(
  'POST',
  `${API_REPO}/branch/*rest`,
  { operation: 'repo.createBranch', access: 'repo.write' },
  async (ctx, req, res) => {
    const body = await req.json(branchBody);
    if (body.emptyBranch)
      throw hubError('invalid_input', '"emptyBranch": this hub makes branches from a revision only');
    const made = await createBranch(ctx, repoRefOf(req), {
      branch: req.decodedParam('rest'),
      startingPoint: body.startingPoint ?? undefined,
      overwrite: body.overwrite ?? undefined,
    });
    sendJson(res, 200, { ref: made.ref, targetCommit: made.commitOid });
  },
);

const remove = route(
  'DELETE',
  `${API_REPO}/branch/*rest`,
  { operation: 'repo.deleteBranch', access: 'repo.write' },
  async (ctx, req, res) => {
    await deleteBranch(ctx, repoRefOf(req), req.decodedParam('rest'));
    sendJson(res, 200, {});
  },
);

export const branchRoutes: Route[] = [create, remove];

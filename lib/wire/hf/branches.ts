import { z } from 'zod';
import { createBranch } from '#lib/repos/create-branch.ts';
import { createTag } from '#lib/repos/create-tag.ts';
import { deleteRef } from '#lib/repos/delete-ref.ts';
import { superSquash } from '#lib/repos/super-squash.ts';
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
    const made = await createBranch(ctx, repoRefOf(req), {
      branch: req.decodedParam('rest'),
      startingPoint: body.startingPoint ?? undefined,
      isEmpty: body.emptyBranch ?? undefined,
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
    await deleteRef(ctx, repoRefOf(req), 'branch', req.decodedParam('rest'));
    sendJson(res, 200, {});
  },
);

const tagBody = z.object({ tag: z.string(), message: z.string().nullish() });

const tag = route(
  'POST',
  `${API_REPO}/tag/*rest`,
  { operation: 'repo.createTag', access: 'repo.write' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    const body = await req.json(tagBody);
    const request = {
      tag: body.tag,
      revision: req.decodedParam('rest'),
      message: body.message ?? undefined,
    };
    const made = await createTag(ctx, ref, request);
    sendJson(res, 200, { ref: made.ref, targetCommit: made.commitOid });
  },
);

const removeTag = route(
  'DELETE',
  `${API_REPO}/tag/*rest`,
  { operation: 'repo.deleteTag', access: 'repo.write' },
  async (ctx, req, res) => {
    await deleteRef(ctx, repoRefOf(req), 'tag', req.decodedParam('rest'));
    sendJson(res, 200, {});
  },
);

const squashBody = z.object({ message: z.string() });

const squash = route(
  'POST',
  `${API_REPO}/super-squash/*rest`,
  { operation: 'repo.superSquash', access: 'repo.write' },
  async (ctx, req, res) => {
    const { message } = await req.json(squashBody);
    const made = await superSquash(ctx, repoRefOf(req), req.decodedParam('rest'), message);
    sendJson(res, 200, { commitId: made.commitOid });
  },
);

export const branchRoutes: Route[] = [create, remove, tag, removeTag, squash];

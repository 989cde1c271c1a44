import { z } from 'zod';
import { hubError, isHubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import type { RepoRef, Visibility } from '#lib/repos/types.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { decodeContent } from './decode-content.ts';
import { repoUrl } from './urls.ts';

const MAX_CREATE_BYTES = 16 * 1024 * 1024;

const repoName = {
  name: z.string(),
  organization: z.string().nullish(),
  type: z.enum(['model', 'dataset', 'space', 'kernel']).nullish(),
};
const createBody = z.object({
  ...repoName,
  visibility: z.enum(['public', 'private', 'protected']).nullish(),
  private: z.boolean().nullish(),
  license: z.string().nullish(),
  files: z
    .array(z.object({ path: z.string(), content: z.string(), encoding: z.string().optional() }))
    .max(1000)
    .nullish(),
});
const deleteBody = z.object(repoName);

/** The repo that a body names: in the caller's own namespace unless it says otherwise. */
function refOf(ctx: Ctx, body: z.infer<typeof deleteBody>): RepoRef {
  if (body.type === 'space' || body.type === 'kernel')
    throw hubError('invalid_input', `"type": this hub has models and datasets, no ${body.type}s`);
  const own = ctx.principal.kind === 'user' ? ctx.principal.name : '';
  return { type: body.type ?? 'model', namespace: body.organization ?? own, name: body.name };
}

function visibilityOf(body: z.infer<typeof createBody>): Visibility | undefined {
  if (body.visibility === 'protected')
    throw hubError('invalid_input', '"visibility": models and datasets are public or private');
  if (body.visibility) return body.visibility;
  return typeof body.private === 'boolean' ? (body.private ? 'private' : 'public') : undefined;
}

const create = route('POST', '/api/repos/create', { operation: 'repo.create', access: 'user' }, sendCreated);

async function sendCreated(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const body = await req.json(createBody, MAX_CREATE_BYTES);
  const ref = refOf(ctx, body);
  const files = body.files?.map((file, i) => ({
    path: file.path,
    content: decodeContent(file.content, file.encoding, `files[${i}]`),
  }));
  const repo = await createRepo(ctx, {
    ...ref,
    visibility: visibilityOf(body),
    license: body.license ?? undefined,
    files,
  }).catch((error: unknown) => {
    // with exist_ok clients read the address out of the refusal
    if (isHubError(error) && error.code === 'conflict_exists')
      throw hubError('conflict_exists', error.message, { details: { url: repoUrl(ctx.publicUrl, ref) } });
    throw error;
  });
  sendJson(res, 200, {
    url: repoUrl(ctx.publicUrl, repo),
    name: `${repo.namespace}/${repo.name}`,
    id: repo.publicId,
  });
}

const remove = route(
  'DELETE',
  '/api/repos/delete',
  { operation: 'repo.delete', access: 'user' },
  async (ctx, req, res) => {
    await deleteRepo(ctx, refOf(ctx, await req.json(deleteBody)));
    sendJson(res, 200, {});
  },
);

export const manageRepos: Route[] = [create, remove];

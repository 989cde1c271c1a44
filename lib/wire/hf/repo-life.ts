import { z } from 'zod';
import { hubError, isHubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { duplicateRepo } from '#lib/repos/duplicate-repo.ts';
import { moveRepo } from '#lib/repos/move-repo.ts';
import { splitRevision } from '#lib/repos/split-revision.ts';
import { treeSize } from '#lib/repos/tree-size.ts';
import type { RepoRef, RepoType, Visibility } from '#lib/repos/types.ts';
import { updateSettings } from '#lib/repos/update-settings.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { API_REPO, repoRefOf } from './repo-params.ts';
import { repoUrl } from './urls.ts';

/** Copying the rows of a long history takes minutes. */
const DUPLICATE_TIMEOUT_MS = 15 * 60_000;

/** `ns/name` of a body. Throws invalid_input. */
function placeOf(key: string, text: string): Omit<RepoRef, 'type'> {
  const [namespace, name, ...more] = text.split('/');
  if (!namespace || !name || more.length > 0)
    throw hubError('invalid_input', `"${key}": give namespace/name`);
  return { namespace, name };
}

/** Who may see a repo, as bodies say it: `visibility`, or the older `private`. */
function visibilityOf(body: {
  visibility?: 'public' | 'private' | 'protected' | null | undefined;
  private?: boolean | null | undefined;
}): Visibility | undefined {
  if (body.visibility === 'protected')
    throw hubError('invalid_input', '"visibility": models and datasets are public or private');
  if (body.visibility) return body.visibility;
  return typeof body.private === 'boolean' ? (body.private ? 'private' : 'public') : undefined;
}

const visibility = {
  visibility: z.enum(['public', 'private', 'protected']).nullish(),
  private: z.boolean().nullish(),
};
const moveBody = z.object({
  fromRepo: z.string(),
  toRepo: z.string(),
  type: z.enum(['model', 'dataset', 'space', 'kernel', 'bucket']).nullish(),
});

const move = route(
  'POST',
  '/api/repos/move',
  { operation: 'repo.move', access: 'user' },
  async (ctx, req, res) => {
    const body = await req.json(moveBody);
    if (body.type && body.type !== 'model' && body.type !== 'dataset')
      throw hubError('invalid_input', `"type": this hub has models and datasets, no ${body.type}s`);
    const type: RepoType = body.type === 'dataset' ? 'dataset' : 'model';
    const from = { type, ...placeOf('fromRepo', body.fromRepo) };
    const repo = await moveRepo(ctx, from, placeOf('toRepo', body.toRepo));
    sendJson(res, 200, { url: repoUrl(ctx.publicUrl, repo), name: `${repo.namespace}/${repo.name}` });
  },
);

const duplicateBody = z.object({ repository: z.string(), ...visibility });

const duplicate = route(
  'POST',
  `${API_REPO}/duplicate`,
  { operation: 'repo.duplicate', access: 'repo.read', scope: 'write', timeoutMs: DUPLICATE_TIMEOUT_MS },
  sendDuplicate,
);

async function sendDuplicate(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const from = repoRefOf(req);
  await requireRead(ctx, from); // before the body is judged
  const body = await req.json(duplicateBody);
  const to = placeOf('repository', body.repository);
  const copy = await duplicateRepo(ctx, from, { ...to, visibility: visibilityOf(body) }).catch(
    (error: unknown) => {
      if (!isHubError(error) || error.code !== 'conflict_exists') throw error;
      const url = repoUrl(ctx.publicUrl, { type: from.type, ...to }); // with exist_ok clients read it out of the refusal
      throw hubError('conflict_exists', error.message, { details: { url } });
    },
  );
  sendJson(res, 200, {
    url: repoUrl(ctx.publicUrl, copy),
    name: `${copy.namespace}/${copy.name}`,
    id: copy.publicId,
  });
}

const settingsBody = z.object({
  ...visibility,
  gated: z.union([z.enum(['auto', 'manual']), z.literal(false)]).nullish(),
  discussionsDisabled: z.boolean().nullish(),
});

const settings = route(
  'PUT',
  `${API_REPO}/settings`,
  { operation: 'repo.settings', access: 'repo.admin' },
  async (ctx, req, res) => {
    const ref = repoRefOf(req);
    await requireRead(ctx, ref); // before the body is judged
    const body = await req.json(settingsBody);
    if (body.gated)
      throw hubError(
        'invalid_input',
        '"gated": this hub does not ask for access to single repositories; make it private and add readers to its organization',
      );
    const now = await updateSettings(ctx, ref, {
      visibility: visibilityOf(body),
      discussionsDisabled: body.discussionsDisabled ?? undefined,
    });
    sendJson(res, 200, {
      ...now,
      private: now.visibility === 'private',
      gated: false,
    });
  },
);

const size = route(
  ['GET', 'HEAD'],
  `${API_REPO}/treesize/*rest`,
  { operation: 'repo.treeSize', access: 'repo.read' },
  async (ctx, req, res) => {
    const repo = await requireRead(ctx, repoRefOf(req));
    const { revision, path } = await splitRevision(ctx.db, repo, req.param('rest'));
    const sizeBytes = await treeSize(ctx.db, repo.id, revision.commitOid, path);
    sendJson(res, 200, { path, size: sizeBytes }, { 'x-repo-commit': revision.commitOid });
  },
);

export const lifeRoutes: Route[] = [move, duplicate, settings, size];

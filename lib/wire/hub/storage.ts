import { z } from 'zod';
import { requestConversion } from '#lib/repos/files/xet/convert-repo.ts';
import { readStorage } from '#lib/repos/storage/read-storage.ts';
import { readUsage } from '#lib/repos/storage/read-usage.ts';
import { setQuota } from '#lib/repos/storage/set-quota.ts';
import { API_REPO, repoRefOf } from '../hf/repo-params.ts';
import { sendJson } from '../respond.ts';
import { type Route, route } from '../route.ts';

const MAX_BODY_BYTES = 16_384;

/** Where the bytes of a repo's large files are: sums, files, refs, commits, sharing. */
const repoStorage = route(
  ['GET', 'HEAD'],
  `${API_REPO}/storage`,
  { operation: 'repo.storage', access: 'repo.read' },
  async (ctx, req, res) => sendJson(res, 200, await readStorage(ctx, repoRefOf(req))),
);

/** Asks that the repo's whole files be cut into chunks. */
const convert = route(
  'POST',
  `${API_REPO}/storage/convert`,
  { operation: 'repo.convert', access: 'repo.admin' },
  async (ctx, req, res) => {
    await requestConversion(ctx, repoRefOf(req));
    sendJson(res, 202, {});
  },
);

/** How much a user or an organization holds, and which repos hold it. */
const usage = route(
  ['GET', 'HEAD'],
  '/api/storage/:ns',
  { operation: 'storage.usage', access: 'user' },
  async (ctx, req, res) => sendJson(res, 200, await readUsage(ctx, req.param('ns'))),
);

const quotaBody = z.object({ limitBytes: z.number().nullable() });

/** Limit of a user or an organization: bytes, 0 for none, null for the configured one. */
const namespaceQuota = route(
  'PUT',
  '/api/admin/quotas/:ns',
  { operation: 'quota.setNamespace', access: 'admin' },
  async (ctx, req, res) => {
    const { limitBytes } = await req.json(quotaBody, MAX_BODY_BYTES);
    await setQuota(ctx, { namespace: req.param('ns') }, limitBytes);
    sendJson(res, 200, { limitBytes });
  },
);

/** The same for one repo. */
const repoQuota = route(
  'PUT',
  '/api/admin/quotas/:type(models|datasets)/:ns/:name',
  { operation: 'quota.setRepo', access: 'admin' },
  async (ctx, req, res) => {
    const { limitBytes } = await req.json(quotaBody, MAX_BODY_BYTES);
    await setQuota(ctx, { repo: repoRefOf(req) }, limitBytes);
    sendJson(res, 200, { limitBytes });
  },
);

export const storageRoutes: readonly Route[] = [repoStorage, convert, usage, namespaceQuota, repoQuota];

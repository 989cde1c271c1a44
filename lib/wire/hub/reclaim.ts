import { z } from 'zod';
import { readReclaimable } from '#lib/repos/reclaim/read-reclaimable.ts';
import { startReclaim } from '#lib/repos/reclaim/start-reclaim.ts';
import { sendJson } from '../respond.ts';
import { route } from '../route.ts';

const show = route(
  ['GET', 'HEAD'],
  '/api/admin/storage',
  { operation: 'storage.show', access: 'admin' },
  async (ctx, _req, res) => sendJson(res, 200, await readReclaimable(ctx)),
);

const runBody = z.object({ isDry: z.boolean(), isForced: z.boolean().default(false) });

const run = route(
  'POST',
  '/api/admin/storage/reclaim',
  { operation: 'storage.reclaim', access: 'admin' },
  async (ctx, req, res) => {
    await startReclaim(ctx, await req.json(runBody, 1024));
    sendJson(res, 202, {});
  },
);

export const reclaimRoutes = [show, run];

import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { putShard } from '#lib/repos/files/xet/put-shard.ts';
import { putXorb } from '#lib/repos/files/xet/put-xorb.ts';
import { MAX_SHARD_BYTES } from '#lib/repos/files/xet/shard.ts';
import type { WireRequest } from '../request.ts';
import { sendJson, type WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { grantOf, hashOf } from './grant-of.ts';
import { createShardEvents } from './shard-events.ts';

async function receiveXorb(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const grant = await grantOf(ctx, req, 'write');
  const hash = hashOf(req);
  const sizeBytes = req.contentLength();
  if (sizeBytes === null) throw hubError('invalid_input', 'Content-Length is needed');
  const { wasInserted } = await putXorb(ctx, grant, { hash, body: req.raw, sizeBytes }, ctx.signal);
  sendJson(res, 200, { was_inserted: wasInserted });
}

async function receiveShardV1(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const grant = await grantOf(ctx, req, 'write');
  await putShard(ctx, grant, await req.body(MAX_SHARD_BYTES), ctx.signal);
  sendJson(res, 200, { result: 1 });
}

async function receiveShardV2(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const grant = await grantOf(ctx, req, 'write');
  const events = createShardEvents(res);
  const work = putShard(ctx, grant, await req.body(MAX_SHARD_BYTES), ctx.signal, events.progress);
  await work.then(events.succeed, (error) => {
    events.fail(error);
    throw error;
  });
}

/** The writing half of the CAS protocol (xet.md §1.4). */
export const uploadRoutes: readonly Route[] = [
  route(
    'POST',
    '/xet/:cas/v1/xorbs/default/:hash',
    { operation: 'xet.putXorb', access: 'xetToken', protocol: 'xet', timeoutMs: 900_000 },
    receiveXorb,
  ),
  route(
    'POST',
    '/xet/:cas/v1/shards',
    { operation: 'xet.putShardV1', access: 'xetToken', protocol: 'xet', timeoutMs: 0 },
    receiveShardV1,
  ),
  route(
    'POST',
    '/xet/:cas/v2/shards',
    { operation: 'xet.putShardV2', access: 'xetToken', protocol: 'xet', timeoutMs: 0 },
    receiveShardV2,
  ),
];

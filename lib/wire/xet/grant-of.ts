import { hubError } from '#lib/base/errors.ts';
import type { XetHash } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { parseHashText } from '#lib/repos/files/xet/hashes.ts';
import { requireXetGrant, type XetGrant, type XetScope } from '#lib/repos/files/xet/token.ts';
import type { WireRequest } from '../request.ts';

/** The grant of a CAS request, whose address begins with `/xet/<domain>-<epoch>`. Throws unauthenticated or forbidden. */
export async function grantOf(ctx: Ctx, req: WireRequest, scope: XetScope): Promise<XetGrant> {
  const address = /^(\d{1,15})-(\d{1,9})$/.exec(req.param('cas'));
  if (address === null) throw hubError('not_found', 'there is nothing at this address');
  const place = { domainId: Number(address[1]), epoch: Number(address[2]) };
  return requireXetGrant(ctx, req.header('authorization'), place, scope);
}

/** The hash in the path, or invalid_input. */
export function hashOf(req: WireRequest): XetHash {
  const hash = parseHashText(req.param('hash'));
  if (hash === undefined) throw hubError('invalid_input', 'the hash in the address is not 64 hex digits');
  return hash;
}

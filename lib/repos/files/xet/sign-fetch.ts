import { hubError } from '#lib/base/errors.ts';
import type { App, Ctx } from '#lib/identity/context.ts';
import { signRounded, verify } from '#lib/identity/signing.ts';
import type { ByteRange } from '#lib/storage/object-store.ts';
import type { Pieces } from '#lib/storage/pieces.ts';
import type { Domain } from './db.ts';
import { xorbsById } from './db.ts';

const PURPOSE = 'xet-fetch';
const EXPIRES_SECONDS = 3600;

/** What a link to our own fetch route carries: xorb id, first and last byte. */
interface FetchTicket {
  readonly x: number;
  readonly s: number;
  readonly e: number;
}

/** The address of a domain's CAS as clients get it: the path changes with the domain and with every loss of data, since clients key their caches by it. */
export function casUrl(ctx: Pick<Ctx, 'publicUrl'>, domain: Domain): string {
  return `${ctx.publicUrl}/xet/${domain.id}-${domain.epoch}`;
}

/**
 * A URL that gives exactly these bytes of a stored xorb for an hour, and nothing to who asks for others: signed by the
 * store when clients can reach it, else one of our own.
 */
export async function signFetch(
  ctx: Ctx,
  domain: { domainId: number; epoch: number },
  xorb: { id: number; objectKey: string },
  bytes: ByteRange,
): Promise<string> {
  const direct = await ctx.store.signGet(xorb.objectKey, { expiresSeconds: EXPIRES_SECONDS, range: bytes });
  if (direct !== null) return direct;
  const ticket: FetchTicket = { x: xorb.id, s: bytes.start, e: bytes.end };
  const base = casUrl(ctx, { id: domain.domainId, epoch: domain.epoch });
  return `${base}/fetch/${signRounded(ctx, PURPOSE, ticket, EXPIRES_SECONDS)}`;
}

/**
 * Opens what a link of signFetch allows. Throws forbidden when the link is forged or expired or the Range header is
 * not exactly the signed one (clients then ask for new links), not_found when the xorb is gone.
 */
export async function openSignedFetch(
  app: App,
  token: string,
  rangeHeader: string | undefined,
  signal: AbortSignal,
): Promise<{ body: Pieces; bytes: ByteRange; totalBytes: number }> {
  const ticket = verify<FetchTicket>(app, PURPOSE, token);
  if (ticket === null) throw hubError('forbidden', 'this link has expired or is not valid');
  const bytes = { start: ticket.s, end: ticket.e };
  if (rangeHeader !== `bytes=${bytes.start}-${bytes.end}`)
    throw hubError('forbidden', `this link is for the Range bytes=${bytes.start}-${bytes.end}`);
  const xorb = (await xorbsById(app.db, [ticket.x]))[0];
  if (xorb === undefined) throw hubError('not_found', 'this data is gone');
  const body = await app.store.pieces(xorb.objectKey, { range: bytes, signal });
  return { body, bytes, totalBytes: xorb.storedBytes };
}

import { z } from 'zod';
import { ERROR_TABLE, hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { beginDownload } from '#lib/repos/files/lfs/begin-download.ts';
import { beginUpload, type UploadTicket } from '#lib/repos/files/lfs/begin-upload.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import type { WireRequest } from '../request.ts';
import type { WireResponse } from '../respond.ts';
import { type Route, route } from '../route.ts';
import { xetUploadAction } from '../xet/xet-upload-action.ts';
import { linkUrl, repoPatterns, repoRefOf, sendLfs } from './lfs-urls.ts';

const MAX_OBJECTS = 1000;
const MAX_BODY_BYTES = 1_048_576;

const batchSchema = z.object({
  operation: z.enum(['upload', 'download']),
  transfers: z.array(z.string()).default(['basic']),
  objects: z.array(z.object({ oid: z.string(), size: z.number() })),
  ref: z.object({ name: z.string() }).nullish(),
  hash_algo: z.string().default('sha256'),
});
type Batch = z.infer<typeof batchSchema>;

function refused(
  object: { oid: string; size: number },
  error: { code: keyof typeof ERROR_TABLE; message: string },
) {
  return {
    oid: object.oid,
    size: object.size,
    error: { code: ERROR_TABLE[error.code].status, message: error.message },
  };
}

function uploadObject(ctx: Ctx, ticket: Exclude<UploadTicket, { kind: 'xet' }>, expiresSeconds: number) {
  const { oid, size } = ticket;
  if (ticket.kind === 'present') return { oid, size };
  if (ticket.kind === 'refused') return refused(ticket, ticket.error);
  const expires = { expires_in: expiresSeconds };
  const verify = { href: linkUrl(ctx, 'verify', ticket.verifyToken), ...expires };
  if (ticket.kind === 'basic') {
    const upload = { href: linkUrl(ctx, 'objects', ticket.putToken), ...expires };
    return { oid, size, authenticated: true, actions: { upload, verify } };
  }
  // Clients take every other key for a part number, some in the order of the sorted keys: zero-padded, no more keys.
  const header: Record<string, string> = { chunk_size: String(ticket.partSizeBytes) };
  for (const [index, part] of ticket.parts.entries())
    header[String(index + 1).padStart(5, '0')] = 'url' in part ? part.url : linkUrl(ctx, 'parts', part.token);
  const upload = { href: linkUrl(ctx, 'complete', ticket.completeToken), header, ...expires };
  return { oid, size, authenticated: true, actions: { upload, verify } };
}

async function answerUpload(ctx: Ctx, ref: RepoRef, batch: Batch) {
  const revision = batch.ref?.name;
  const request = { objects: batch.objects, offered: batch.transfers, revision };
  const { repo, isGuest, transfer, expiresSeconds, tickets } = await beginUpload(ctx, ref, request);
  const xet = transfer === 'xet' ? await xetUploadAction(ctx, repo, { revision, isGuest }) : null;
  const objects = tickets.map((ticket) =>
    ticket.kind === 'xet'
      ? { oid: ticket.oid, size: ticket.size, actions: { upload: xet } }
      : uploadObject(ctx, ticket, expiresSeconds),
  );
  return { transfer, objects };
}

async function answerDownload(ctx: Ctx, ref: RepoRef, batch: Batch) {
  const { expiresSeconds, tickets } = await beginDownload(ctx, ref, batch.objects);
  const objects = tickets.map((ticket) => {
    if (ticket.kind === 'refused') return refused(ticket, ticket.error);
    const href = ticket.kind === 'url' ? ticket.url : linkUrl(ctx, 'objects', ticket.token);
    const { oid, size } = ticket;
    return { oid, size, authenticated: true, actions: { download: { href, expires_in: expiresSeconds } } };
  });
  return { transfer: 'basic', objects };
}

async function answerBatch(ctx: Ctx, req: WireRequest, res: WireResponse): Promise<void> {
  const batch = await req.json(batchSchema, MAX_BODY_BYTES);
  if (batch.hash_algo !== 'sha256' && batch.hash_algo !== 'sha_256')
    throw hubError('invalid_object', `hash_algo "${batch.hash_algo}" is not supported, only sha256`);
  if (batch.objects.length > MAX_OBJECTS)
    throw hubError('too_large', `a batch holds at most ${MAX_OBJECTS} objects`);
  const ref = repoRefOf(req);
  sendLfs(
    res,
    batch.operation === 'upload'
      ? await answerUpload(ctx, ref, batch)
      : await answerDownload(ctx, ref, batch),
  );
}

/** The batch API below a repo's address. Write rights are checked for uploads by the use case: the scope is read. */
export const batchRoutes: Route[] = [
  route(
    'POST',
    repoPatterns('objects/batch'),
    { operation: 'lfs.batch', access: 'repo.read', scope: 'read', protocol: 'lfs' },
    answerBatch,
  ),
];

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type HubError, hubError } from '#lib/base/errors.ts';
import { newId, parseSha256, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import { quotaExceeded, readRoom } from '../../storage/require-room.ts';
import type { Repo, RepoFile, RepoRef } from '../../types.ts';
import { findFiles } from '../find-files.ts';
import { keepFiles } from '../keep-files.ts';
import { refuseTooMuch, requireUpload } from '../require-upload.ts';
import { unverifiedAmong } from '../xet/db.ts';
import { insertUploads, type UploadRow } from './db.ts';
import { type FileGrant, linkLifetime, signLink } from './links.ts';
import { MAX_FILE_BYTES, MULTIPART_FROM_BYTES, partLengths, partSizeFor } from './part-plan.ts';

/** An object as a client names it; neither value is trusted yet. */
export interface WantedObject {
  readonly oid: string;
  readonly size: number;
}

/** What the client has to do for one object. Tokens go into links of the hub, URLs are the store's own. */
export type UploadTicket = WantedObject &
  (
    | { readonly kind: 'present' }
    | { readonly kind: 'refused'; readonly error: HubError }
    | { readonly kind: 'xet' }
    | { readonly kind: 'basic'; readonly putToken: string; readonly verifyToken: string }
    | {
        readonly kind: 'multipart';
        readonly partSizeBytes: number;
        readonly parts: readonly ({ readonly url: string } | { readonly token: string })[];
        readonly completeToken: string;
        readonly verifyToken: string;
      }
  );

export type Transfer = 'basic' | 'multipart' | 'xet';

export interface UploadBatch {
  readonly repo: Repo;
  /** Brings files for a pull request, without the right to write. */
  readonly isGuest: boolean;
  readonly transfer: Transfer;
  readonly expiresSeconds: number;
  readonly tickets: readonly UploadTicket[];
}

/** S3 takes no single PUT above this; the local store takes any size. */
const MAX_S3_PUT_BYTES = 5 * 2 ** 30;
/** Links for parts in one answer: each costs a signature and some hundred bytes. */
const MAX_PARTS_PER_BATCH = 30_000;
/** Multipart uploads that are begun at the store at the same time. */
const BEGIN_AT_ONCE = 8;

/**
 * Answers how to upload each object. Only what this very repo holds already needs nothing: that others hold the
 * same bytes is neither a shortcut nor visible, since knowing a hash is not owning the bytes. A batch travels one
 * way (git-lfs hands it to one transfer agent): Xet when the client offered it, multipart when it offered that and
 * an object is above 64 MiB, else basic.
 */
export async function beginUpload(
  ctx: Ctx,
  ref: RepoRef,
  request: { objects: readonly WantedObject[]; offered: readonly string[]; revision?: string | undefined },
): Promise<UploadBatch> {
  const { revision } = request;
  const { repo, isGuest } = await requireUpload(ctx, ref, { createPr: revision === undefined, revision });
  if (ctx.principal.kind !== 'user') throw hubError('unauthenticated', 'Sign in to upload');
  const { objects } = request;
  const wanted = objects.map((object) => ({ object, sha256: parseSha256(object.oid) }));
  const held = await findSureFiles(
    ctx,
    repo.id,
    wanted.flatMap((w) => w.sha256 ?? []),
  );
  await keepFiles(ctx.db, repo.id, [...held.keys()]);
  const transfer = chooseTransfer(objects, request.offered);
  if (transfer === 'multipart') refuseTooManyParts(objects);
  const expiresSeconds = linkLifetime(objects.reduce((sum, o) => sum + (o.size > 0 ? o.size : 0), 0));
  const userId = ctx.principal.id;
  if (isGuest) {
    const moreBytes = objects.reduce(
      (sum, o) => sum + (held.has(o.oid as Sha256) ? 0 : Math.max(0, o.size)),
      0,
    );
    await refuseTooMuch(ctx.config, ctx.db, { repoId: repo.id, userId, moreBytes });
  }
  const full = await tooMuch(ctx, repo, objects, held);
  const rows: UploadRow[] = [];
  const ticketOf = async ({ object, sha256 }: (typeof wanted)[number]): Promise<UploadTicket> => {
    const error = refusalOf(object, sha256, held.get(sha256 as Sha256)?.sizeBytes) ?? full.get(object.oid);
    if (error || !sha256) return { ...object, kind: 'refused', error: error as HubError };
    if (held.has(sha256)) return { ...object, kind: 'present' };
    const grant: FileGrant = {
      repoId: repo.id,
      userId,
      sha256,
      sizeBytes: object.size,
      ...(isGuest && { isGuest }),
    };
    if (transfer === 'xet') return { ...object, kind: 'xet' };
    if (transfer === 'multipart' && object.size > 0) {
      const { row, ticket } = await beginMultipart(ctx, grant, expiresSeconds);
      rows.push(row);
      return ticket;
    }
    if (object.size > MAX_S3_PUT_BYTES && ctx.store.kind === 's3')
      return { ...object, kind: 'refused', error: needsMultipart() };
    const putToken = signLink(ctx, 'put', grant, expiresSeconds);
    return {
      ...object,
      kind: 'basic',
      putToken,
      verifyToken: signLink(ctx, 'verify', grant, expiresSeconds),
    };
  };
  const tickets: UploadTicket[] = [];
  for (let at = 0; at < wanted.length; at += BEGIN_AT_ONCE)
    tickets.push(...(await Promise.all(wanted.slice(at, at + BEGIN_AT_ONCE).map(ticketOf))));
  await insertUploads(ctx.db, rows, new Date(ctx.clock.now() + expiresSeconds * 1000));
  return { repo, isGuest, transfer, expiresSeconds, tickets };
}

/** What the repo holds beyond doubt. A Xet file that was not read back yet may be another writer's lie: it saves nobody the upload. */
async function findSureFiles(
  ctx: Ctx,
  repoId: RepoId,
  sha256s: readonly Sha256[],
): Promise<Map<Sha256, RepoFile>> {
  const held = await findFiles(ctx.db, repoId, sha256s);
  const byXetAlone = [...held.values()].filter((file) => file.objectKey === null);
  const unsure = await unverifiedAmong(
    ctx.db,
    byXetAlone.flatMap((file) => file.xet?.fileId ?? []),
  );
  for (const file of byXetAlone) if (file.xet && unsure.has(file.xet.fileId)) held.delete(file.sha256);
  return held;
}

/** The objects that no longer fit into the quota, in the order in which they are asked for, each with what to say. */
async function tooMuch(
  ctx: Ctx,
  repo: Repo,
  objects: readonly WantedObject[],
  held: ReadonlyMap<Sha256, RepoFile>,
): Promise<Map<string, HubError>> {
  const refused = new Map<string, HubError>();
  const room = await readRoom(ctx, repo.id);
  if (room === null) return refused;
  const fresh = new Map(objects.map((object) => [object.oid, Math.max(0, object.size)]));
  let usedBytes = room.usedBytes;
  for (const [oid, sizeBytes] of fresh) {
    if (held.has(oid as Sha256)) continue;
    if (usedBytes + sizeBytes > room.limitBytes) refused.set(oid, quotaExceeded(room, sizeBytes));
    else usedBytes += sizeBytes;
  }
  return refused;
}

function chooseTransfer(objects: readonly WantedObject[], offered: readonly string[]): Transfer {
  if (offered.includes('xet')) return 'xet';
  const large = objects.some((object) => object.size > MULTIPART_FROM_BYTES);
  return large && offered.includes('multipart') ? 'multipart' : 'basic';
}

function refuseTooManyParts(objects: readonly WantedObject[]): void {
  const partsOf = ({ size }: WantedObject) =>
    size > 0 && size <= MAX_FILE_BYTES ? Math.ceil(size / partSizeFor(size)) : 0;
  const parts = objects.reduce((sum, object) => sum + partsOf(object), 0);
  if (parts > MAX_PARTS_PER_BATCH)
    throw hubError(
      'too_large',
      `these objects have ${parts} parts together, a batch may have ${MAX_PARTS_PER_BATCH}: ask for fewer at a time`,
    );
}

function refusalOf(
  { oid, size }: WantedObject,
  sha256: Sha256 | undefined,
  heldBytes: number | undefined,
): HubError | undefined {
  if (sha256 === undefined)
    return hubError('invalid_object', `oid "${oid.slice(0, 80)}" is not 64 lower-case hex digits`);
  if (!Number.isSafeInteger(size) || size < 0)
    return hubError('invalid_object', `size ${size} is not a number of bytes`);
  if (size > MAX_FILE_BYTES) return hubError('invalid_object', 'files above 5 TiB cannot be stored');
  if (heldBytes !== undefined && heldBytes !== size)
    return hubError('invalid_object', `object ${sha256} has ${heldBytes} bytes, not ${size}`);
  return undefined;
}

function needsMultipart(): HubError {
  return hubError(
    'invalid_object',
    'files above 5 GiB need a multipart upload: run "hf lfs-enable-largefiles ." in your repository, or use "hf upload"',
  );
}

async function beginMultipart(
  ctx: Ctx,
  grant: FileGrant,
  expiresSeconds: number,
): Promise<{ row: UploadRow; ticket: UploadTicket }> {
  const { sha256, sizeBytes } = grant;
  const key = newObjectKey('blob');
  const partSizeBytes = partSizeFor(sizeBytes);
  const storageUploadId = await ctx.store.beginMultipart(key);
  const row: UploadRow = {
    ...grant,
    id: newId(ctx.clock.now()),
    partSizeBytes,
    key,
    storageUploadId,
    state: 'open',
  };
  const parts: ({ url: string } | { token: string })[] = [];
  for (const [index, lengthBytes] of partLengths(sizeBytes, partSizeBytes).entries()) {
    const partNumber = index + 1;
    if (partNumber % 50 === 0) await nextTurn(); // signing is CPU: let other requests in between
    const url = await ctx.store.signPart(key, storageUploadId, partNumber, expiresSeconds);
    const part = { uploadId: row.id, partNumber, sizeBytes: lengthBytes };
    parts.push(url === null ? { token: signLink(ctx, 'part', part, expiresSeconds) } : { url });
  }
  const completeToken = signLink(ctx, 'complete', { ...grant, uploadId: row.id }, expiresSeconds);
  const verifyToken = signLink(ctx, 'verify', grant, expiresSeconds);
  const ticket = {
    oid: sha256,
    size: sizeBytes,
    kind: 'multipart',
    partSizeBytes,
    parts,
    completeToken,
    verifyToken,
  } as const;
  return { row, ticket };
}

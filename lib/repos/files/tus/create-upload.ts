import { hubError } from '#lib/base/errors.ts';
import { parseSha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { checkPath } from '../../check-path.ts';
import type { RepoRef } from '../../types.ts';
import { findFiles } from '../find-files.ts';
import { MAX_FILE_BYTES } from '../lfs/part-plan.ts';
import { requireTarget } from '../require-target.ts';
import { refuseTooMuch } from '../require-upload.ts';
import { insertTusUpload } from './db.ts';
import { UPLOAD_LIFETIME_MS } from './lease-db.ts';
import { tusPartSize } from './plan-piece.ts';
import { requireOpenRoom } from './require-open-room.ts';

/** What a client says of a file before it sends it. */
export interface NewUpload {
  readonly id: string;
  readonly path: string;
  readonly revision: string;
  readonly createPr: boolean;
  readonly sizeBytes: number;
  /** Of the file, if the client knows it; compared at the end, never trusted. */
  readonly sha256?: string | undefined;
  /** All of it as it was sent. */
  readonly metadata: string;
}

/** Throws too_large or invalid_input unless a file of this size can be stored. */
export function checkSize(sizeBytes: number): void {
  if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0)
    throw hubError('invalid_input', 'Upload-Length is not a number of bytes');
  if (sizeBytes > MAX_FILE_BYTES)
    throw hubError('too_large', `files above 5 TiB cannot be stored, this one has ${sizeBytes} bytes`);
}

/**
 * Begins an upload of one file to a repo. All that can be refused is refused here, before a byte is sent: the right,
 * the revision, the path, the size, the quota, a guest's limit, too many unfinished uploads. Stores nothing but a row. Throws
 * repo_not_found, unauthenticated, forbidden, revision_not_found, invalid_path, invalid_input, too_large, quota_exceeded,
 * rate_limited.
 */
export async function createUpload(ctx: Ctx, ref: RepoRef, wanted: NewUpload): Promise<{ expiresAt: Date }> {
  const { repo, isGuest } = await requireTarget(ctx, ref, wanted);
  if (ctx.principal.kind !== 'user') throw hubError('unauthenticated', 'Sign in to upload');
  checkPath(wanted.path);
  checkSize(wanted.sizeBytes);
  const claimedSha256 = wanted.sha256 === undefined ? null : parseSha256(wanted.sha256);
  if (claimedSha256 === undefined)
    throw hubError('invalid_input', 'sha256 in Upload-Metadata is not 64 lower-case hex digits');
  const { sizeBytes } = wanted;
  const userId = ctx.principal.id;
  if (isGuest) await refuseTooMuch(ctx.config, ctx.db, { repoId: repo.id, userId, moreBytes: sizeBytes });
  const isHeld =
    claimedSha256 !== null && (await findFiles(ctx.db, repo.id, [claimedSha256])).has(claimedSha256);
  if (!isHeld) await requireOpenRoom(ctx, repo.id, userId, sizeBytes);
  const expiresAt = new Date(ctx.clock.now() + UPLOAD_LIFETIME_MS);
  const partSizeBytes = tusPartSize(sizeBytes, ctx.store.minPartBytes);
  const row = { ...wanted, partSizeBytes, repoId: repo.id, userId, isGuest, claimedSha256, expiresAt };
  const limit = ctx.config.LARDER_OPEN_UPLOADS;
  if (!(await insertTusUpload(ctx.db, row, limit)))
    throw hubError(
      'rate_limited',
      `You have ${limit} unfinished uploads, no more are possible: finish or cancel some first`,
    );
  return { expiresAt };
}

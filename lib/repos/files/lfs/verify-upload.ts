import { hubError } from '#lib/base/errors.ts';
import type { Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { findFiles } from '../find-files.ts';
import type { FileGrant } from './links.ts';

/** Confirms that the repo holds the file with this hash and size. Throws not_found or invalid_object, saying which. */
export async function verifyUpload(
  ctx: Ctx,
  grant: FileGrant,
  claim: { sha256: Sha256; sizeBytes: number },
): Promise<void> {
  if (claim.sha256 !== grant.sha256)
    throw hubError('invalid_input', `this link verifies ${grant.sha256}, not another oid`);
  const file = (await findFiles(ctx.db, grant.repoId, [grant.sha256])).get(grant.sha256);
  if (!file) throw hubError('not_found', `object ${grant.sha256} was not uploaded`);
  if (file.sizeBytes !== claim.sizeBytes)
    throw hubError(
      'invalid_object',
      `object ${grant.sha256} has ${file.sizeBytes} bytes, not ${claim.sizeBytes}`,
    );
}

import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError, isHubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { linkWithinQuota } from '../../storage/require-room.ts';
import { discardObjects } from '../discard-objects.ts';
import { linkFile } from '../link-file.ts';
import { refuseTooMuch } from '../require-upload.ts';
import { deleteObject, insertObject, lockLiveRepo } from './db.ts';
import type { FileGrant } from './links.ts';

/**
 * Makes a checked object readable in its repo: one transaction with the audit event and `alsoInTx`. When the
 * repo got the same file another way meanwhile, that one stays and this object is deleted. The bytes at `key`
 * must hash to the grant's sha256; until this returns they are garbage that no row refers to. Throws not_found (the repo
 * is gone), quota_exceeded; then the object is deleted.
 */
export async function linkObject(
  ctx: Ctx,
  grant: FileGrant,
  key: string,
  alsoInTx: (tx: Tx) => Promise<boolean> = async () => true,
): Promise<void> {
  await failpoint('object.verified');
  const { sha256, sizeBytes, repoId, userId } = grant;
  const link = async (tx: Tx): Promise<boolean> => {
    if (!(await alsoInTx(tx))) return false;
    const subject = await lockLiveRepo(tx, repoId);
    if (subject === null) throw hubError('not_found', 'the repository is no longer there');
    if (grant.isGuest) await refuseTooMuch(ctx.config, tx, { repoId, userId, moreBytes: sizeBytes });
    const objectId = await insertObject(tx, { key, sizeBytes, sha256 });
    if (objectId === null) return false;
    const edge = await linkWithinQuota(tx, ctx.config, repoId, () =>
      linkFile(tx, { repoId, sha256, sizeBytes, objectId, userId }),
    );
    if (edge.objectId !== objectId) {
      await deleteObject(tx, objectId);
      return true;
    }
    await audit(tx, ctx, { action: 'repo.upload', subject, details: { sha256, sizeBytes, userId } });
    return false;
  };
  const surplus = await transaction(ctx.db, link).catch(async (error) => {
    // A refusal of ours came before COMMIT. After any other error the outcome is unknown: the object may be in use.
    if (isHubError(error)) await discardObjects(ctx, [key]);
    throw error;
  });
  await failpoint('link.committed');
  if (surplus) await discardObjects(ctx, [key]);
}

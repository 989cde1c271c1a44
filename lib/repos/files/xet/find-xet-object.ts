import { hubError } from '#lib/base/errors.ts';
import type { XetHash } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { liveXorbs, xetFileOfRepo } from './db.ts';
import { hashBytes } from './hashes.ts';
import type { XetGrant } from './token.ts';

/**
 * Size of a file that the grant's repo holds, or of a stored xorb of its domain (a write grant learns by uploading
 * whether it is there anyway). Throws not_found.
 */
export async function findXetObject(
  app: App,
  grant: XetGrant,
  kind: 'file' | 'xorb',
  hash: XetHash,
): Promise<{ sizeBytes: number }> {
  if (kind === 'file') {
    const file = await xetFileOfRepo(app.db, grant.repoId, hashBytes(hash));
    if (file !== null) return { sizeBytes: file.sizeBytes };
  } else {
    const xorb = (await liveXorbs(app.db, grant.domainId, [hashBytes(hash)]))[0];
    if (xorb !== undefined) return { sizeBytes: xorb.storedBytes };
  }
  throw hubError('not_found', `this ${kind} is not here`);
}

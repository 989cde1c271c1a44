import { type HubError, hubError } from '#lib/base/errors.ts';
import { parseSha256 } from '#lib/base/ids.ts';
import { signingWindowSeconds } from '#lib/base/signing-window.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '../../access.ts';
import type { RepoRef } from '../../types.ts';
import { fileUrl } from '../file-url.ts';
import { findFiles } from '../find-files.ts';
import type { WantedObject } from './begin-upload.ts';
import { signLink } from './links.ts';

/** Where one object can be fetched. */
export type DownloadTicket = WantedObject &
  (
    | { readonly kind: 'refused'; readonly error: HubError }
    | { readonly kind: 'url'; readonly url: string }
    | { readonly kind: 'token'; readonly token: string }
  );

/** How long a download may be put off. Short: the link outlives a loss of the right to read. */
const LIFETIME_SECONDS = 3600;

/**
 * Answers where each object can be fetched: at the store itself when clients can reach it, else through the hub.
 * Only what this repo holds; an object of others is answered exactly like one that does not exist.
 */
export async function beginDownload(
  ctx: Ctx,
  ref: RepoRef,
  objects: readonly WantedObject[],
): Promise<{ expiresSeconds: number; tickets: DownloadTicket[] }> {
  const repo = await requireRead(ctx, ref);
  const oids = objects.map((object) => parseSha256(object.oid));
  const held = await findFiles(
    ctx.db,
    repo.id,
    oids.flatMap((oid) => oid ?? []),
  );
  const ticketOf = async (object: WantedObject, index: number): Promise<DownloadTicket> => {
    const sha256 = oids[index];
    const file = sha256 && held.get(sha256);
    if (!file) {
      const error = hubError('not_found', 'this repository has no such object');
      return { ...object, kind: 'refused', error };
    }
    const { sizeBytes } = file;
    const url = await fileUrl(ctx, file, { expiresSeconds: LIFETIME_SECONDS });
    if (url !== null) return { oid: object.oid, size: sizeBytes, kind: 'url', url };
    const token = signLink(ctx, 'get', { repoId: repo.id, sha256, sizeBytes }, LIFETIME_SECONDS);
    return { oid: object.oid, size: sizeBytes, kind: 'token', token };
  };
  const expiresSeconds = LIFETIME_SECONDS - signingWindowSeconds(LIFETIME_SECONDS);
  return { expiresSeconds, tickets: await Promise.all(objects.map(ticketOf)) };
}

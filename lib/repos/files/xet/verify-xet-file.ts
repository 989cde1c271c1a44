import { hexOf, type Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { setSha256State, xetFileById } from './db.ts';
import { hashTerms } from './hash-terms.ts';
import { hashText } from './hashes.ts';
import { unpackTerms } from './terms.ts';

/**
 * Handler of xetFileRegistered: reads the whole file back and settles whether its bytes have the SHA-256 that the
 * uploader claimed. `bad` takes it out of use everywhere (no listing shows it, no reader opens it); the row stays as
 * evidence. Running it again repeats the same verdict; a file that was settled or removed meanwhile is left alone.
 */
export async function verifyXetFile(
  app: App,
  { fileId }: { fileId: number },
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const file = await xetFileById(app.db, fileId);
  if (file?.sha256State !== 'unverified') return;
  const claimed = hexOf<Sha256>(file.sha256);
  const actual = await hashTerms(app, { terms: unpackTerms(file.terms), sizeBytes: file.sizeBytes }, signal);
  if (actual !== claimed)
    app.log.error(
      { file: hashText(file.hash), claimed, actual },
      'a Xet file is not what its uploader claimed',
    );
  await setSha256State(app.db, fileId, actual === claimed ? 'verified' : 'bad');
}

import { createHash } from 'node:crypto';
import type { Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { readTerms } from './read-terms.ts';
import type { Term } from './terms.ts';

/** SHA-256 over the bytes of a whole file, read back from the store. `onProgress` hears how many bytes were hashed so far. */
export async function hashTerms(
  app: App,
  file: { terms: readonly Term[]; sizeBytes: number },
  signal: AbortSignal,
  onProgress: (bytes: number) => void = () => {},
): Promise<Sha256> {
  const hash = createHash('sha256');
  let done = 0;
  const whole = { start: 0, end: file.sizeBytes - 1 };
  for await (const bytes of readTerms(app, file.terms, whole, signal)) {
    hash.update(bytes);
    onProgress((done += bytes.length));
  }
  return hash.digest('hex') as Sha256;
}

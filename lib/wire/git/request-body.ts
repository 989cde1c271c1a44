import { createGunzip } from 'node:zlib';
import { hubError } from '#lib/base/errors.ts';
import type { WireRequest } from '../request.ts';

/**
 * The body of a git request, inflated when it came with gzip, as a stream that its reader bounds: what a small body
 * inflates to counts, not what was sent. Throws invalid_input for another encoding and for broken gzip.
 */
export async function* requestBody(req: WireRequest): AsyncGenerator<Buffer> {
  const encoding = req.header('content-encoding') ?? 'identity';
  if (encoding === 'identity') return yield* req.raw as AsyncIterable<Buffer>;
  if (encoding !== 'gzip' && encoding !== 'x-gzip')
    throw hubError('invalid_input', `Content-Encoding: ${encoding} is not understood, only gzip`);
  const gunzip = createGunzip();
  req.raw.once('error', (error) => gunzip.destroy(error));
  req.raw.pipe(gunzip);
  try {
    yield* gunzip as AsyncIterable<Buffer>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('Z_'))
      throw hubError('invalid_input', 'the request body is not valid gzip', { cause: error });
    throw error;
  } finally {
    req.raw.unpipe(gunzip);
    gunzip.destroy();
  }
}

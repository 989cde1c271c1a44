import { hubError } from '#lib/base/errors.ts';

/**
 * The bytes of a file sent inside JSON, as `utf-8` (default) or `base64`. Throws invalid_input, naming `at`, for
 * what is not base64: Buffer.from drops foreign characters, and a corrupt file must never be stored.
 */
export function decodeContent(content: string, encoding: string | undefined, at: string): Buffer {
  if (encoding === undefined || encoding === 'utf-8' || encoding === 'utf8')
    return Buffer.from(content, 'utf8');
  if (encoding !== 'base64') throw hubError('invalid_input', `${at}: "encoding" must be base64 or utf-8`);
  const bytes = Buffer.from(content, 'base64');
  const digits = content.endsWith('=') ? content.replace(/={1,2}$/, '').length : content.length;
  if (bytes.length !== Math.floor((digits * 3) / 4) || digits % 4 === 1)
    throw hubError('invalid_input', `${at}: "content" is not valid base64`);
  return bytes;
}

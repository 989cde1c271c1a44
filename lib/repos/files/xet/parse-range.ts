import { hubError } from '#lib/base/errors.ts';
import type { ByteRange } from '#lib/storage/object-store.ts';

/**
 * A Range header of a file of `sizeBytes`, cut to the file; null without a header. Clients ask far past the end, with
 * numbers beyond 2^53. Throws range_not_satisfiable when the first byte is not in the file (byte 0 of an empty one
 * is), invalid_input when it is not one range of the form `bytes=a-b` or `bytes=a-` (RFC 9110 §14.1.2).
 */
export function parseRange(header: string | undefined, sizeBytes: number): ByteRange | null {
  if (header === undefined) return null;
  const match = /^bytes=(\d{1,20})-(\d{0,20})$/.exec(header);
  if (match === null) throw hubError('invalid_input', 'Range: one range of the form bytes=a-b is understood');
  const start = Number(match[1]);
  const end = match[2] ? Number(match[2]) : Number.MAX_SAFE_INTEGER;
  if (end < start) throw hubError('invalid_input', 'Range: the end lies before the start');
  if (start >= sizeBytes && !(sizeBytes === 0 && start === 0))
    throw hubError('range_not_satisfiable', `the file has ${sizeBytes} bytes`, {
      details: { contentRange: `bytes */${sizeBytes}` },
    });
  return { start, end: Math.min(end, sizeBytes - 1) };
}

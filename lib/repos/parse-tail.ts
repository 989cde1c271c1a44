import { hubError } from '#lib/base/errors.ts';

/** One way to read a URL's tail: what is the revision, what is the path. Both decoded. */
export interface TailReading {
  readonly name: string;
  readonly path: string;
}

/** A branch or tag name of more segments than this is not looked for unencoded; encoded (%2F) it always works. */
const MAX_NAME_SEGMENTS = 12;

function decodeSegment(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw hubError('invalid_input', 'malformed percent-escape in the URL');
  }
}

/**
 * All readings of the raw tail after `tree|resolve|raw|commits|revision`, the longest revision first
 * (hf-api §0.6): a segment with %2F is the whole revision; `refs/pr/N` and `refs/convert/NAME` are three
 * segments; otherwise any prefix may be a branch or tag. Each segment is decoded exactly once. Throws
 * invalid_input on a malformed escape.
 */
export function parseTail(rawTail: string): TailReading[] {
  const raw = rawTail.split('/');
  const segments = raw.map(decodeSegment);
  const reading = (count: number): TailReading => ({
    name: segments.slice(0, count).join('/'),
    path: segments.slice(count).join('/'),
  });
  const first = segments[0] ?? '';
  if (/%2f/i.test(raw[0] ?? '') || /^[0-9a-f]{40}$/i.test(first)) return [reading(1)];
  const isRef = first === 'refs' && segments.length >= 3;
  if (isRef && (segments[1] === 'pr' || segments[1] === 'convert')) return [reading(3)];
  const shortest = isRef ? 3 : 1;
  const longest = Math.min(segments.length, shortest + MAX_NAME_SEGMENTS - 1);
  return Array.from({ length: longest - shortest + 1 }, (_, i) => reading(longest - i));
}

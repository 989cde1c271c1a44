/** What of a representation a conditional or ranged GET asks for. */
export type RangeVerdict =
  | { readonly status: 200 }
  | { readonly status: 206; readonly start: number; readonly end: number }
  | { readonly status: 304 }
  | { readonly status: 416 };

interface Conditions {
  readonly method: string;
  /** Quoted strong tag of the representation. */
  readonly etag: string;
  readonly sizeBytes: number;
  readonly range?: string | undefined;
  readonly ifRange?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/**
 * Applies RFC 9110 §13 and §14 to one representation: If-None-Match first (weak comparison), then If-Range
 * (strong; a date never matches, for we send none), then a single byte range. A syntax we do not know and several
 * ranges at once mean the whole file. An empty file is never 416: JavaScript clients probe it with bytes=0-0.
 */
export function evaluateRange(conditions: Conditions): RangeVerdict {
  const { method, etag, sizeBytes, range, ifRange, ifNoneMatch } = conditions;
  if (ifNoneMatch !== undefined && matchesAny(ifNoneMatch, etag)) return { status: 304 };
  if (method !== 'GET' || range === undefined || sizeBytes === 0) return { status: 200 };
  if (ifRange !== undefined && ifRange.trim() !== etag) return { status: 200 };
  const match = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i.exec(range);
  if (!match) return { status: 200 };
  const [first, last] = [match[1] ?? '', match[2] ?? ''];
  if (first === '' && last === '') return { status: 200 };
  if (first === '') {
    const suffix = Number(last);
    return suffix === 0
      ? { status: 416 }
      : { status: 206, start: Math.max(0, sizeBytes - suffix), end: sizeBytes - 1 };
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== '' && Number(last) < start) return { status: 200 };
  return start >= sizeBytes ? { status: 416 } : { status: 206, start, end };
}

function matchesAny(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  return header.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag);
}

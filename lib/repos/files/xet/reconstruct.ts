import { hubError } from '#lib/base/errors.ts';
import type { XetHash } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { ByteRange } from '#lib/storage/object-store.ts';
import { xetFileOfRepo, xorbsById } from './db.ts';
import { hashBytes, hashText } from './hashes.ts';
import { loadLayouts } from './layouts.ts';
import { parseRange } from './parse-range.ts';
import { planReconstruction, selectTerms } from './plan-reconstruction.ts';
import { signFetch } from './sign-fetch.ts';
import { unpackTerms } from './terms.ts';
import type { XetGrant } from './token.ts';

interface FetchEntry {
  /** Half-open range of chunks. */
  readonly start: number;
  readonly end: number;
  readonly bytes: ByteRange;
  /** Good for a GET of exactly `bytes`. */
  readonly url: string;
}

export interface Reconstruction {
  readonly offsetIntoFirstRange: number;
  readonly terms: readonly { xorb: XetHash; start: number; end: number; rawBytes: number }[];
  readonly fetches: ReadonlyMap<XetHash, readonly FetchEntry[]>;
}

const EMPTY: Reconstruction = { offsetIntoFirstRange: 0, terms: [], fetches: new Map() };

/**
 * How to put a file, or the part that a Range header names, together from xorbs, with a signed URL per byte range.
 * Throws not_found unless the grant's repo holds the file, range_not_satisfiable past its end (at the cost of one
 * indexed query: clients probe there by design).
 */
export async function reconstruct(
  ctx: Ctx,
  grant: XetGrant,
  hash: XetHash,
  rangeHeader: string | undefined,
): Promise<Reconstruction> {
  const file = await xetFileOfRepo(ctx.db, grant.repoId, hashBytes(hash));
  if (file === null) throw hubError('not_found', 'this repo holds no such Xet file');
  const range = parseRange(rangeHeader, file.sizeBytes) ?? { start: 0, end: file.sizeBytes - 1 };
  if (file.sizeBytes === 0) return EMPTY;
  const placed = selectTerms(unpackTerms(file.terms), range);
  const ids = [...new Set(placed.map((p) => p.term.xorbId))];
  const xorbs = new Map(
    (await xorbsById(ctx.db, ids)).map((row) => [row.id, { ...row, text: hashText(row.hash) }]),
  );
  const plan = planReconstruction(placed, range, await loadLayouts(ctx, ids));
  const xorbOf = (id: number) => {
    const xorb = xorbs.get(id);
    if (xorb === undefined) throw new Error(`xorb ${id} of file ${hash} is gone`);
    return xorb;
  };
  const fetches = new Map<XetHash, FetchEntry[]>();
  for (const [id, list] of plan.fetches) {
    const xorb = xorbOf(id);
    const entries = list.map(async (f) => ({ ...f, url: await signFetch(ctx, grant, xorb, f.bytes) }));
    fetches.set(xorb.text, await Promise.all(entries));
  }
  const terms = plan.terms.map(({ xorbId, ...term }) => ({ xorb: xorbOf(xorbId).text, ...term }));
  return { offsetIntoFirstRange: plan.offsetIntoFirstRange, terms, fetches };
}

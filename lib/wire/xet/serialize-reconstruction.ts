import type { Reconstruction } from '#lib/repos/files/xet/reconstruct.ts';

function terms(plan: Reconstruction) {
  return plan.terms.map(({ xorb, start, end, rawBytes }) => ({
    hash: xorb,
    unpacked_length: rawBytes,
    range: { start, end },
  }));
}

/** The v1 answer: per xorb a list of ranges with a URL each. Chunk ranges are half-open, byte ranges inclusive. */
export function serializeReconstructionV1(plan: Reconstruction) {
  const fetchInfo = [...plan.fetches].map(([hash, list]) => [
    hash,
    list.map(({ start, end, bytes, url }) => ({ range: { start, end }, url, url_range: bytes })),
  ]);
  return {
    offset_into_first_range: plan.offsetIntoFirstRange,
    terms: terms(plan),
    fetch_info: Object.fromEntries(fetchInfo),
  };
}

/** The v2 answer. One range per entry: no store answers several, and clients tell entries apart by their URLs. */
export function serializeReconstructionV2(plan: Reconstruction) {
  const xorbs = [...plan.fetches].map(([hash, list]) => [
    hash,
    list.map(({ start, end, bytes, url }) => ({ url, ranges: [{ chunks: { start, end }, bytes }] })),
  ]);
  return {
    offset_into_first_range: plan.offsetIntoFirstRange,
    terms: terms(plan),
    xorbs: Object.fromEntries(xorbs),
  };
}

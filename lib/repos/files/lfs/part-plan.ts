import { MAX_PARTS } from '#lib/storage/check-parts.ts';

const MIB = 2 ** 20;

/** Files up to this size travel as one PUT; when the client offers multipart, larger batches use it. */
export const MULTIPART_FROM_BYTES = 64 * MIB;
/** S3's limit for one part, and our floor; above S3's own floor of 5 MiB. */
const MAX_PART_BYTES = 5 * 2 ** 30;
const MIN_PART_BYTES = 64 * MIB;
/** Signing a URL costs time: larger parts rather than more of them, until parts are as large as S3 allows. */
const AIM_PARTS = 100;
/** The largest file that is taken at all: S3's largest object. */
export const MAX_FILE_BYTES = 5 * 2 ** 40;

/**
 * Size of every part but the last, in whole MiB: 64 MiB for files up to 6.4 GiB, then a hundredth of the file, at
 * most 5 GiB. Clients compute the number of parts as ceil(size / part) and refuse any other.
 */
export function partSizeFor(sizeBytes: number): number {
  const aimed = Math.ceil(sizeBytes / AIM_PARTS / MIB) * MIB;
  return Math.min(MAX_PART_BYTES, Math.max(MIN_PART_BYTES, aimed));
}

/** Lengths of all parts in order. Every one is `partSizeBytes` but the last, which may be shorter. */
export function partLengths(sizeBytes: number, partSizeBytes: number): number[] {
  const count = Math.ceil(sizeBytes / partSizeBytes);
  if (count < 1 || count > MAX_PARTS) throw new RangeError(`${count} parts`);
  return Array.from({ length: count }, (_, i) => Math.min(partSizeBytes, sizeBytes - i * partSizeBytes));
}

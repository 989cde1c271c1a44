import { MAX_PARTS } from '#lib/storage/check-parts.ts';

const MIB = 2 ** 20;
/** A full part of S3: small enough that little is sent twice, large enough that a request for each costs little. */
const SMALL_PART_BYTES = 16 * MIB;
const LARGE_PART_BYTES = 64 * MIB;
const AIM_PARTS = 512;
/** A file of up to so many bytes is worth no part that grows: losing it costs less than the books. */
const SMALL_FILE_BYTES = 4 * MIB;
/** Numbers left for short parts. */
const SPARE_NUMBERS = 1_000;

/** Whether the store takes parts of any size, and so keeps one as far as it came. */
const takesAnySize = (minPartBytes: number) => minPartBytes === 1;

/**
 * Size of a part, whole MiB: 64 MiB on the local store, where a part grows and its size matters little; on S3 a 512th of
 * the file, 16 to 64 MiB. More where 9,000 parts would not hold the file.
 */
export function tusPartSize(sizeBytes: number, minPartBytes: number): number {
  const mibOf = (parts: number) => Math.ceil(sizeBytes / parts / MIB) * MIB;
  const least = takesAnySize(minPartBytes) ? LARGE_PART_BYTES : SMALL_PART_BYTES;
  const aimed = Math.min(LARGE_PART_BYTES, Math.max(least, mibOf(AIM_PARTS)));
  return Math.max(aimed, mibOf(MAX_PARTS - SPARE_NUMBERS));
}

/** Where an upload stands. */
export interface Standing {
  readonly sizeBytes: number;
  readonly partSizeBytes: number;
  readonly receivedBytes: number;
  readonly tailBytes: number;
  readonly nextPart: number;
}

/** What the next bytes of the body become: all of the file, a part, or a tail that waits for more. */
export interface PiecePlan {
  readonly kind: 'whole' | 'part' | 'tail';
  /** Bytes of the piece, those of the tail before it included. */
  readonly sizeBytes: number;
  /** Bytes of it that come from the body. */
  readonly bodyBytes: number;
  /** When the body breaks off, the store keeps the piece as far as it came. */
  readonly mayBeShort: boolean;
}

/**
 * The next piece when `bodyBytes` (at least one) more are there: a part. What is left over becomes a short part when the
 * store takes such a one and numbers remain for the rest of the file, else a tail. Pure.
 */
export function planPiece(at: Standing, bodyBytes: number, minPartBytes: number): PiecePlan {
  const from = at.receivedBytes - at.tailBytes;
  const fullBytes = at.partSizeBytes;
  const sizeBytes = Math.min(fullBytes, at.tailBytes + bodyBytes);
  const partsToCome = Math.ceil((at.sizeBytes - from) / fullBytes);
  const hasNumbers = at.nextPart + partsToCome + SPARE_NUMBERS / 2 <= MAX_PARTS;
  const mayBeShort = takesAnySize(minPartBytes) && hasNumbers;
  const piece = { sizeBytes, bodyBytes: sizeBytes - at.tailBytes, mayBeShort: false };
  const isLast = from + sizeBytes === at.sizeBytes;
  if (isLast && from === 0 && !(mayBeShort && sizeBytes > SMALL_FILE_BYTES))
    return { kind: 'whole', ...piece };
  if (isLast || sizeBytes === fullBytes) return { kind: 'part', ...piece, mayBeShort };
  return sizeBytes >= minPartBytes && hasNumbers
    ? { kind: 'part', ...piece, mayBeShort }
    : { kind: 'tail', ...piece };
}

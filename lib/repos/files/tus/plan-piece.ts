import { MAX_PARTS } from '#lib/storage/check-parts.ts';

const MIB = 2 ** 20;
/** A full part: small enough that little is sent twice, large enough that making it durable costs little. */
const SMALL_PART_BYTES = 16 * MIB;
const LARGE_PART_BYTES = 64 * MIB;
/** In which the local store is given a part. */
const PIECES = 4;
const AIM_PARTS = 512;
/** Numbers left for short parts. */
const SPARE_NUMBERS = 1_000;

/** Size of a part, whole MiB: a 512th of the file, 16 to 64 MiB; more where 9,000 quarters would not hold the file. */
export function tusPartSize(sizeBytes: number): number {
  const mibOf = (parts: number) => Math.ceil(sizeBytes / parts / MIB) * MIB;
  const aimed = Math.min(LARGE_PART_BYTES, Math.max(SMALL_PART_BYTES, mibOf(AIM_PARTS)));
  return Math.max(aimed, mibOf((MAX_PARTS - SPARE_NUMBERS) / PIECES));
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
 * The next piece when `bodyBytes` (at least one) more are there: a part, or a quarter of one where the store takes parts
 * of any size: then what is on its way to the disk and what streams behind it are half a part. What is left over becomes
 * a short part when the store takes such a one and numbers remain for the rest of the file, else a tail. Pure.
 */
export function planPiece(at: Standing, bodyBytes: number, minPartBytes: number): PiecePlan {
  const from = at.receivedBytes - at.tailBytes;
  const takesAnySize = minPartBytes === 1;
  const fullBytes = takesAnySize ? at.partSizeBytes / PIECES : at.partSizeBytes;
  const sizeBytes = Math.min(fullBytes, at.tailBytes + bodyBytes);
  const partsToCome = Math.ceil((at.sizeBytes - from) / fullBytes);
  const hasNumbers = at.nextPart + partsToCome + SPARE_NUMBERS / 2 <= MAX_PARTS;
  const mayBeShort = takesAnySize && hasNumbers;
  const piece = { sizeBytes, bodyBytes: sizeBytes - at.tailBytes, mayBeShort: false };
  const isLast = from + sizeBytes === at.sizeBytes;
  if (isLast && from === 0) return { kind: 'whole', ...piece };
  if (isLast || sizeBytes === fullBytes) return { kind: 'part', ...piece, mayBeShort };
  return sizeBytes >= minPartBytes && hasNumbers
    ? { kind: 'part', ...piece, mayBeShort }
    : { kind: 'tail', ...piece };
}

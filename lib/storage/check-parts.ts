import { hubError } from '#lib/base/errors.ts';
import type { UploadedPart } from './object-store.ts';

export const MAX_PARTS = 10_000;

/** The part number, or `invalid_input` unless it is a whole number from 1 to 10,000. */
export function checkPartNumber(partNumber: number): number {
  if (!Number.isInteger(partNumber) || partNumber < 1 || partNumber > MAX_PARTS)
    throw hubError('invalid_input', `part number ${partNumber} is not between 1 and ${MAX_PARTS}`);
  return partNumber;
}

/** The parts in order of their numbers; `invalid_input` when there is none, one is repeated or out of bounds. */
export function checkParts(parts: readonly UploadedPart[]): UploadedPart[] {
  if (parts.length === 0) throw hubError('invalid_input', 'a multipart upload needs at least one part');
  const sorted = [...parts].sort((a, b) => a.partNumber - b.partNumber);
  for (const [index, part] of sorted.entries()) {
    checkPartNumber(part.partNumber);
    if (sorted[index + 1]?.partNumber === part.partNumber)
      throw hubError('invalid_input', `part ${part.partNumber} is listed twice`);
  }
  return sorted;
}

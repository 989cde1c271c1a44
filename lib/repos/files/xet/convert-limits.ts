/** Smaller files have one chunk: cutting them saves nothing and costs a xorb each. */
export const MIN_CONVERTED_BYTES = 128 * 1024;

/** Whether a whole file gains anything by being cut into chunks. */
export function isWorthConverting(sizeBytes: number): boolean {
  return sizeBytes >= MIN_CONVERTED_BYTES;
}

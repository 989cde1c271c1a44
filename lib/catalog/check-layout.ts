import type { HubError } from '#lib/base/errors.ts';

interface Extent {
  readonly name: string;
  readonly start: number;
  readonly sizeBytes: number;
}

/**
 * Throws, in the caller's words, when tensors share bytes, leave a gap between them, or leave bytes at the end that
 * belong to none: a file that says so is either damaged or hides something (safetensors format, "no holes").
 */
export function checkLayout(
  tensors: readonly Extent[],
  dataStart: number,
  dataEnd: number,
  invalid: (why: string) => HubError,
): void {
  const inOrder = tensors.filter((tensor) => tensor.sizeBytes > 0).sort((a, b) => a.start - b.start);
  let at = dataStart;
  for (const { name, start, sizeBytes } of inOrder) {
    if (start < at) throw invalid(`tensor ${name} overlaps another`);
    if (start > at) throw invalid(`there is a gap of ${start - at} bytes before tensor ${name}`);
    at = start + sizeBytes;
  }
  if (at !== dataEnd) throw invalid(`${dataEnd - at} bytes at its end belong to no tensor`);
}

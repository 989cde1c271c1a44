import { hubError } from '#lib/base/errors.ts';

/**
 * Splits a byte stream at newlines, holding one line at a time. The last line needs no newline. Throws too_large,
 * naming the line and the limit, before a line or the whole exceeds its limit.
 */
export async function* readLines(
  body: AsyncIterable<Buffer>,
  limits: { maxLineBytes: number; maxTotalBytes: number },
): AsyncGenerator<Buffer, void> {
  let parts: Buffer[] = [];
  let held = 0;
  let total = 0;
  let number = 1;
  const hold = (part: Buffer) => {
    held += part.length;
    if (held > limits.maxLineBytes)
      throw hubError(
        'too_large',
        `line ${number} is longer than ${limits.maxLineBytes} bytes: upload large files with LFS or Xet`,
      );
    parts.push(part);
  };
  for await (const chunk of body) {
    total += chunk.length;
    if (total > limits.maxTotalBytes)
      throw hubError('too_large', `the request body is larger than ${limits.maxTotalBytes} bytes`);
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      hold(chunk.subarray(start, end));
      const line = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts, held);
      parts = [];
      held = 0;
      number++;
      start = end + 1;
      yield line;
    }
    if (start < chunk.length) hold(chunk.subarray(start));
  }
  if (held > 0) yield Buffer.concat(parts, held);
}

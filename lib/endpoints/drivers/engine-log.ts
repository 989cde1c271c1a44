import { open, readFile, stat, truncate, writeFile } from 'node:fs/promises';

const MAX_READ_BYTES = 256 * 1024;
const MAX_LAG_BYTES = 1024 * 1024;
const MAX_FILE_BYTES = 4 * 1024 * 1024;
const MAX_LINES = 500;
const MAX_LINE_CHARS = 2_000;

/**
 * Hands the lines that an engine wrote since the last call to `sink`, at most once more than once: the place is
 * kept in a file beside the log after `sink` resolved. A log that runs far ahead is skipped, with a line that says
 * so, and the file is cut when it was read to its end and is large.
 */
export async function takeLogLines(file: string, sink: (lines: string[]) => Promise<void>): Promise<void> {
  const cursorFile = `${file}.at`;
  const size = (await stat(file).catch(() => null))?.size;
  if (size === undefined) return;
  let at = Number(await readFile(cursorFile, 'utf8').catch(() => '0')) || 0;
  if (at > size) at = 0;
  if (at === size) return;
  const skipped = size - at > MAX_LAG_BYTES ? size - MAX_READ_BYTES - at : 0;
  const { lines, bytes } = await readLines(file, at + skipped, size);
  if (skipped > 0) lines.unshift(`… ${skipped} bytes of log left out …`);
  if (bytes === 0) return;
  await sink(lines);
  at += skipped + bytes;
  if (at >= MAX_FILE_BYTES && at === size) {
    await truncate(file, 0);
    at = 0;
  }
  await writeFile(cursorFile, String(at));
}

/** Whole lines from `at`; the end of an unfinished line is left for later, unless it alone fills the buffer. */
async function readLines(
  file: string,
  at: number,
  size: number,
): Promise<{ lines: string[]; bytes: number }> {
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(Math.min(MAX_READ_BYTES, size - at));
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, at);
    const lastBreak = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
    const bytes = lastBreak >= 0 ? lastBreak + 1 : bytesRead === MAX_READ_BYTES ? bytesRead : 0;
    const lines = buffer
      .toString('utf8', 0, bytes)
      .split('\n')
      // oxlint-disable-next-line no-control-regex -- terminal escapes and NUL have no place in a log row
      .map((line) => line.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '').slice(0, MAX_LINE_CHARS))
      .filter((line) => line.trim() !== '');
    const left = lines.length - MAX_LINES;
    return {
      lines: left > 0 ? [`… ${left} lines left out …`, ...lines.slice(left)] : lines,
      bytes,
    };
  } finally {
    await handle.close();
  }
}

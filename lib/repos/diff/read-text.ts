import { isUtf8 } from 'node:buffer';

/** As much of a file as git itself looks at to tell text from bytes. */
const SNIFF_BYTES = 8_000;

/** What git takes for binary: a NUL among the first 8,000 bytes (gitattributes(5), "diff"). */
export function isBinary(content: Buffer): boolean {
  return content.subarray(0, SNIFF_BYTES).includes(0);
}

const hasMark = (content: Buffer, first: number, second: number) =>
  content[0] === first && content[1] === second;

/** The text of a file for people: UTF-8, UTF-16 with a byte order mark, else Windows-1252; null for what is no text. */
export function readText(content: Buffer): string | null {
  if (hasMark(content, 0xff, 0xfe)) return new TextDecoder('utf-16le').decode(content);
  if (hasMark(content, 0xfe, 0xff)) return new TextDecoder('utf-16be').decode(content);
  if (isBinary(content)) return null;
  return new TextDecoder(isUtf8(content) ? 'utf-8' : 'windows-1252').decode(content);
}

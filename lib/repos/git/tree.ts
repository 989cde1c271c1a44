import { isUtf8 } from 'node:buffer';
import type { Oid } from '#lib/base/ids.ts';

/** Modes as they stand in tree objects (octal digits read as octal numbers). */
export const MODE = {
  file: 0o100644,
  executable: 0o100755,
  symlink: 0o120000,
  directory: 0o40000,
  submodule: 0o160000,
} as const;

/** One line of a tree object. */
export interface TreeLine {
  readonly mode: number;
  /** Bytes that are not UTF-8 are kept as lone surrogates U+DC80…U+DCFF, so that a tree survives a round trip. */
  readonly name: string;
  readonly oid: Oid;
}

/** The id of the tree without entries. */
export const EMPTY_TREE_OID = '4b825dc642cb6eb9a060e54bf8d69288fbee4904' as Oid;

/** A name as TreeLine has it. */
export function decodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let name = '';
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number;
    const length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    const slice = bytes.subarray(at, at + length);
    if (isUtf8(slice)) {
      name += slice.toString('utf8');
      at += length;
    } else {
      name += String.fromCharCode(0xdc00 + byte);
      at += 1;
    }
  }
  return name;
}

/** The bytes of a name as git stores it. */
export function encodeName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name, 'utf8');
  const parts: Buffer[] = [];
  for (const character of name) {
    const code = character.codePointAt(0) as number;
    parts.push(
      code >= 0xdc80 && code <= 0xdcff ? Buffer.from([code - 0xdc00]) : Buffer.from(character, 'utf8'),
    );
  }
  return Buffer.concat(parts);
}

/** Lines of a tree object in their stored order. Throws on anything that is not a tree. */
export function parseTree(content: Buffer): TreeLine[] {
  const lines: TreeLine[] = [];
  for (let at = 0; at < content.length; ) {
    const space = content.indexOf(0x20, at);
    const zero = space < 0 ? -1 : content.indexOf(0, space + 1);
    if (zero < 0 || zero + 21 > content.length) throw new Error('not a tree object');
    const mode = Number.parseInt(content.toString('latin1', at, space), 8);
    lines.push({
      mode,
      name: decodeName(content.subarray(space + 1, zero)),
      oid: content.toString('hex', zero + 1, zero + 21) as Oid,
    });
    at = zero + 21;
  }
  return lines;
}

/** A tree object's content: lines sorted as git sorts them, directories as if their name ended in `/`. */
export function encodeTree(lines: Iterable<TreeLine>): Buffer {
  const keyed = Array.from(lines, (line) => {
    const name = encodeName(line.name);
    return { line, name, key: line.mode === MODE.directory ? Buffer.concat([name, SLASH]) : name };
  });
  keyed.sort((a, b) => Buffer.compare(a.key, b.key));
  return Buffer.concat(
    keyed.flatMap(({ line, name }) => [
      Buffer.from(`${line.mode.toString(8)} `),
      name,
      ZERO,
      Buffer.from(line.oid, 'hex'),
    ]),
  );
}

const SLASH = Buffer.from('/');
const ZERO = Buffer.from([0]);

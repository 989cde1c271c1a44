const ESCAPES: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/**
 * A path as git writes it in a diff: as it is when it is plain ASCII, else in quotes with C escapes (git-config(1),
 * core.quotePath). `bytes` is the path with its prefix, as the tree has it.
 */
export function quotePath(bytes: Buffer): string {
  let text = '';
  let isPlain = true;
  for (const byte of bytes) {
    const escaped =
      ESCAPES[byte] ??
      (byte < 0x20 || byte >= 0x7f ? `\\${byte.toString(8).padStart(3, '0')}` : String.fromCharCode(byte));
    if (escaped.length > 1) isPlain = false;
    text += escaped;
  }
  return isPlain ? text : `"${text}"`;
}

/** The Markdown below the metadata block at the top of a file, if there is one; the hub itself judges the block. */
export function bodyOf(text: string): string {
  const block = /^\uFEFF?\s*---[ \t]*\r?\n(?:[\s\S]*?\r?\n)??---[ \t]*(?:\r?\n|$)/.exec(text);
  return block === null ? text : text.slice(block[0].length);
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The end of the string that begins at `at` (its opening quote): the index after the closing quote. */
function endOfString(text: string, at: number): number {
  let i = at + 1;
  for (; i < text.length; i++) {
    const char = text.charCodeAt(i);
    if (char === BACKSLASH) i++;
    else if (char === QUOTE) break;
  }
  return i + 1;
}

const BLANK = /\s*/y;

function skipBlanks(text: string, at: number): number {
  BLANK.lastIndex = at;
  BLANK.test(text);
  return BLANK.lastIndex;
}

/**
 * The first key that an object of this JSON text has twice, or null. Two readers of such a text may see two different
 * things. `text` must be valid JSON. Linear in its length.
 */
export function findRepeatedKey(text: string): string | null {
  const open: (Set<string> | null)[] = []; // the keys of each object that is open; null for an array
  for (let at = 0; at < text.length; ) {
    const char = text[at];
    if (char === '{') open.push(new Set());
    else if (char === '[') open.push(null);
    else if (char === '}' || char === ']') open.pop();
    if (char !== '"') {
      at++;
      continue;
    }
    const end = endOfString(text, at);
    const keys = open.at(-1);
    if (keys && text[skipBlanks(text, end)] === ':') {
      const key = JSON.parse(text.slice(at, end)) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
    at = end;
  }
  return null;
}

import { PatternList } from './path-pattern.ts';

/** Paths are shorter; a longer pattern matches none of them. */
const MAX_LINE_LENGTH = 4096;

function trimSpaces(line: string): string {
  let end = line.length;
  while (end > 0 && line[end - 1] === ' ' && line[end - 2] !== '\\') end--;
  return line.slice(0, end);
}

/**
 * Compiles a .gitignore and returns whether a file path is ignored by it (gitignore(5): the last match wins, a
 * file below an ignored folder stays ignored).
 */
export function parseIgnore(text: string): (path: string) => boolean {
  const isIgnored = new PatternList<boolean>();
  for (const raw of text.replace(/^\ufeff/, '').split('\n')) {
    if (raw.length > MAX_LINE_LENGTH) continue;
    const line = trimSpaces(raw.replace(/\r$/, ''));
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('!')) isIgnored.add(line.slice(1), false);
    else isIgnored.add(line, true);
  }
  return (path) => {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
      if (isIgnored.last(path.slice(0, slash), true)) return true;
    return isIgnored.last(path, false) ?? false;
  };
}

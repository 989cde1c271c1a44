import { type PathPattern, parsePathPattern, patternMatches, patternSubject } from './path-pattern.ts';

/** More lines than this are not looked at: a path is judged in bounded time. */
const MAX_PATTERNS = 2000;

/**
 * Compiles a .gitignore and returns whether a file path is ignored by it (gitignore(5): the last match wins, a
 * file below an ignored folder stays ignored).
 */
export function parseIgnore(text: string): (path: string) => boolean {
  const rules: { negated: boolean; pattern: PathPattern }[] = [];
  for (const raw of text.replace(/^\ufeff/, '').split('\n')) {
    let line = raw.replace(/\r$/, '').replace(/(?<!\\) +$/, '');
    if (line === '' || line.startsWith('#')) continue;
    const negated = line.startsWith('!');
    if (negated) line = line.slice(1);
    if (rules.length < MAX_PATTERNS) rules.push({ negated, pattern: parsePathPattern(line) });
  }
  const verdict = (path: string, isFolder: boolean): boolean => {
    const subject = patternSubject(path);
    const last = rules.findLast(({ pattern }) => patternMatches(pattern, subject, isFolder));
    return last !== undefined && !last.negated;
  };
  return (path) => {
    if (rules.length === 0) return false;
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1))
      if (verdict(path.slice(0, slash), true)) return true;
    return verdict(path, false);
  };
}

import { bytesText, compileGlob, type Glob } from './wildmatch.ts';

/** A line of .gitignore or .gitattributes, ready to match paths below the folder the file lies in. */
export interface PathPattern {
  /** Ended in a slash: matches folders only. */
  readonly foldersOnly: boolean;
  /** Has no slash: compared with the last name of a path, in any folder. */
  readonly byName: boolean;
  readonly glob: Glob;
}

/** A path in both forms that patterns look at. */
export interface PatternSubject {
  readonly path: string;
  readonly name: string;
}

/** Prepares a path (relative to the folder of the pattern file) for matching. */
export function patternSubject(path: string): PatternSubject {
  const bytes = bytesText(path);
  return { path: bytes, name: bytes.slice(bytes.lastIndexOf('/') + 1) };
}

/** Compiles the pattern as gitignore(5) describes it, without a leading `!`. */
export function parsePathPattern(text: string): PathPattern {
  const foldersOnly = text.endsWith('/') && text !== '/';
  const body = bytesText(foldersOnly ? text.slice(0, -1) : text);
  if (!body.includes('/')) return { foldersOnly, byName: true, glob: compileGlob(body) };
  const anchored = body.startsWith('/') ? body.slice(1) : body;
  const wild = anchored.search(/[*?[\\]/);
  const literal = wild < 0 ? anchored : anchored.slice(0, wild);
  // git matches what follows the literal part on its own, which lets `a**` reach over slashes where `?**` does not
  const rest = compileGlob(anchored.slice(literal.length));
  const glob = {
    matches: (path: string) => path.startsWith(literal) && rest.matches(path.slice(literal.length)),
  };
  return { foldersOnly, byName: false, glob };
}

/** Whether the pattern matches this path, which is a folder or not. */
export function patternMatches(pattern: PathPattern, subject: PatternSubject, isFolder: boolean): boolean {
  if (pattern.foldersOnly && !isFolder) return false;
  return pattern.glob.matches(pattern.byName ? subject.name : subject.path);
}

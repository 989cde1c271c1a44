import { hubError } from '#lib/base/errors.ts';
import { bytesText, compileGlob, type Glob } from './wildmatch.ts';

/** A pattern of .gitignore or .gitattributes, ready to match paths below the folder the file lies in. */
interface PathPattern {
  /** Ended in a slash: matches folders only. */
  readonly foldersOnly: boolean;
  /** Has no slash: compared with the last name of a path, in any folder. */
  readonly byName: boolean;
  readonly glob: Glob;
}

/** Steps that one list may take in all, about a second: a hostile file must not hold up the process. */
const MAX_STEPS = 100_000_000;

/** Compiles the pattern as gitignore(5) describes it, without a leading `!`. */
function parsePathPattern(text: string): PathPattern {
  const foldersOnly = text.endsWith('/') && text !== '/';
  const body = bytesText(foldersOnly ? text.slice(0, -1) : text);
  if (!body.includes('/')) return { foldersOnly, byName: true, glob: compileGlob(body) };
  const anchored = body.startsWith('/') ? body.slice(1) : body;
  const wild = anchored.search(/[*?[\\]/);
  if (wild < 0) return { foldersOnly, byName: false, glob: compileGlob(anchored) };
  // git matches what follows the literal part on its own, which lets `a**` reach over slashes where `?**` does not
  const literal = anchored.slice(0, wild);
  const rest = compileGlob(anchored.slice(wild));
  const glob = {
    matches: (path: string) => path.startsWith(literal) && rest.matches(path.slice(literal.length)),
    cost: rest.cost,
  };
  return { foldersOnly, byName: false, glob };
}

interface Other {
  readonly index: number;
  readonly pattern: PathPattern;
}

/** Patterns in the order of their file, of which the last that matches decides. */
export class PatternList<T> {
  readonly #values: T[] = [];
  /** Index of the last pattern without wildcards, by the name or path that it matches. */
  readonly #names = new Map<string, number>();
  readonly #paths = new Map<string, number>();
  readonly #others: Other[] = [];
  #steps = 0;

  add(text: string, value: T): void {
    const pattern = parsePathPattern(text);
    const { literal } = pattern.glob;
    const index = this.#values.push(value) - 1;
    if (literal === undefined || pattern.foldersOnly) this.#others.push({ index, pattern });
    else (pattern.byName ? this.#names : this.#paths).set(literal, index);
  }

  /**
   * The value of the last pattern that matches `path`, which is a folder or not; undefined when none does. Throws
   * invalid_input when matching has become too costly.
   */
  last(path: string, isFolder: boolean): T | undefined {
    const bytes = bytesText(path);
    const name = bytes.slice(bytes.lastIndexOf('/') + 1);
    let best = Math.max(this.#names.get(name) ?? -1, this.#paths.get(bytes) ?? -1);
    for (let at = this.#others.length - 1; at >= 0; at--) {
      const { index, pattern } = this.#others[at] as Other;
      if (index < best) break;
      this.#steps += 1 + pattern.glob.cost * (pattern.glob.cost > 1 ? bytes.length : 1);
      if (this.#steps > MAX_STEPS)
        throw hubError(
          'invalid_input',
          '.gitattributes or .gitignore: too costly to match; simplify its patterns',
        );
      if (pattern.foldersOnly && !isFolder) continue;
      if (pattern.glob.matches(pattern.byName ? name : bytes)) best = index;
    }
    return this.#values[best];
  }
}

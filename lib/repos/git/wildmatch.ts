/**
 * git's glob matching (wildmatch.c with WM_PATHNAME) as a set simulation: time is at most pattern × text,
 * whatever a hostile pattern looks like. Works on bytes as git does; pass strings made by `bytesText`.
 */
export interface Glob {
  /** True when the whole of `text` matches. */
  matches(text: string): boolean;
  /** The only text that matches, for a pattern without wildcards. */
  readonly literal?: string;
  /** Steps per byte of text at most. */
  readonly cost: number;
}

type Token =
  | { readonly kind: 'byte'; readonly code: number }
  | { readonly kind: 'any' }
  | { readonly kind: 'set'; readonly codes: ReadonlySet<number>; readonly negated: boolean }
  /** `*`: any bytes but the slash. */
  | { readonly kind: 'star' }
  /** a final double star: any bytes. */
  | { readonly kind: 'all' }
  /** a double star with its slash: any number of whole folders, none included. */
  | { readonly kind: 'folders' };

/** A string with one character per byte of the UTF-8 form. */
export function bytesText(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

const SLASH = 0x2f;
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const codesOf = (pattern: RegExp) => range(0, 127).filter((code) => pattern.test(String.fromCharCode(code)));
const POSIX: Record<string, number[]> = {
  alnum: codesOf(/[A-Za-z0-9]/),
  alpha: codesOf(/[A-Za-z]/),
  blank: [0x20, 0x09],
  cntrl: [...range(0, 31), 127],
  digit: codesOf(/\d/),
  graph: range(33, 126),
  lower: codesOf(/[a-z]/),
  print: range(32, 126),
  punct: codesOf(/[!-/:-@[-`{-~]/),
  space: [0x20, 0x09, 0x0a, 0x0d], // git's own isspace: no form feed, no vertical tab
  upper: codesOf(/[A-Z]/),
  xdigit: codesOf(/[A-Fa-f0-9]/),
};

/** Reads `[…]` at `at`; null when it never closes or names an unknown class: then nothing matches. */
function parseSet(pattern: string, at: number): { token: Token; end: number } | null {
  let i = at + 1;
  const negated = pattern[i] === '!' || pattern[i] === '^';
  if (negated) i++;
  const codes = new Set<number>();
  let previous = -1; // start of a possible range
  for (let first = true; first || pattern[i] !== ']'; first = false) {
    if (i >= pattern.length) return null;
    const posix = /^\[:([a-z]*):\]/.exec(pattern.slice(i, i + 12));
    if (posix) {
      const members = POSIX[posix[1] ?? ''];
      if (members === undefined) return null;
      for (const code of members) codes.add(code);
      i += posix[0].length;
      previous = -1;
      continue;
    }
    let from = previous;
    const isRange = pattern[i] === '-' && previous >= 0 && i + 1 < pattern.length && pattern[i + 1] !== ']';
    if (isRange) i++;
    if (pattern[i] === '\\') i++;
    if (i >= pattern.length) return null;
    const code = pattern.charCodeAt(i++);
    if (!isRange) from = code;
    for (const member of range(Math.min(from, code + 1), code)) codes.add(member);
    previous = isRange ? -1 : code;
  }
  return { token: { kind: 'set', codes, negated }, end: i + 1 };
}

function parseStars(pattern: string, at: number): { token: Token; end: number } {
  let end = at;
  while (pattern[end] === '*') end++;
  const opens = at === 0 || pattern[at - 1] === '/';
  if (end - at >= 2 && opens && end === pattern.length) return { token: { kind: 'all' }, end };
  if (end - at >= 2 && opens && pattern[end] === '/') return { token: { kind: 'folders' }, end: end + 1 };
  return { token: { kind: 'star' }, end };
}

function parse(pattern: string): Token[] | null {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; ) {
    const character = pattern[i];
    if (character === '*') {
      const { token, end } = parseStars(pattern, i);
      tokens.push(token);
      i = end;
    } else if (character === '[') {
      const set = parseSet(pattern, i);
      if (set === null) return null;
      tokens.push(set.token);
      i = set.end;
    } else if (character === '?') {
      tokens.push({ kind: 'any' });
      i++;
    } else {
      if (character === '\\') i++;
      if (i >= pattern.length) return null; // a backslash at the end matches nothing
      tokens.push({ kind: 'byte', code: pattern.charCodeAt(i++) });
    }
  }
  return tokens;
}

function accepts(token: Token, code: number): boolean {
  if (token.kind === 'byte') return token.code === code;
  if (token.kind === 'any') return code !== SLASH;
  return token.kind === 'set' && code !== SLASH && token.codes.has(code) !== token.negated;
}

/** Marks `state` and what can be reached from it without reading: a star, and folders, may match nothing. */
function mark(tokens: readonly Token[], states: Uint8Array, state: number): void {
  for (let s = state; s <= tokens.length && states[s] === 0; s++) {
    states[s] = 1;
    const kind = tokens[s]?.kind;
    if (kind !== 'star' && kind !== 'all' && kind !== 'folders') return;
  }
}

function run(tokens: readonly Token[], text: string): boolean {
  let states = new Uint8Array(tokens.length + 1);
  /** `folders` tokens that are in the middle of a folder's name: they go on only after its slash. */
  let inside = new Uint8Array(tokens.length + 1);
  mark(tokens, states, 0);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const next = new Uint8Array(tokens.length + 1);
    const nextInside = new Uint8Array(tokens.length + 1);
    let alive = false;
    for (const [s, token] of tokens.entries()) {
      const here = states[s] === 1;
      if (token.kind === 'folders') {
        if (!here && inside[s] === 0) continue;
        alive = true;
        if (code === SLASH) mark(tokens, next, s);
        else nextInside[s] = 1;
      } else if (!here) continue;
      else if (token.kind === 'all' || (token.kind === 'star' && code !== SLASH)) {
        mark(tokens, next, s);
        alive = true;
      } else if (accepts(token, code)) {
        mark(tokens, next, s + 1);
        alive = true;
      }
    }
    if (!alive) return false;
    states = next;
    inside = nextInside;
  }
  return states[tokens.length] === 1;
}

const bytesOf = (tokens: readonly Token[]) =>
  tokens.map((token) => (token.kind === 'byte' ? String.fromCharCode(token.code) : '')).join('');

/** Compiles a pattern. A malformed one matches nothing, as in git. */
export function compileGlob(pattern: string): Glob {
  const tokens = parse(pattern);
  if (tokens === null) return { matches: () => false, cost: 0 };
  if (tokens.every((token) => token.kind === 'byte')) {
    const literal = bytesOf(tokens);
    return { matches: (text) => text === literal, literal, cost: 1 };
  }
  const [first, ...tail] = tokens;
  if (first?.kind === 'star' && tail.every((token) => token.kind === 'byte')) {
    const ending = bytesOf(tail);
    return {
      matches: (text) => text.endsWith(ending) && !text.slice(0, text.length - ending.length).includes('/'),
      cost: 1,
    };
  }
  return { matches: (text) => run(tokens, text), cost: tokens.length };
}

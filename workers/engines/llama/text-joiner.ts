/** U+FFFD: what a detokenizer writes for bytes that are not (yet) a character. */
const REPLACEMENT = '\uFFFD';
/** A UTF-8 character has at most 4 bytes; a token that still does not join after this many is broken for good. */
const MOST_PENDING = 8;

/**
 * Tokens in, text out: holds tokens back until their bytes form whole characters, and text back while it could
 * be the beginning of a stop string. Pure but for its own state.
 */
export class TextJoiner<T> {
  readonly #decode: (tokens: readonly T[], before: readonly T[]) => string;
  readonly #stops: readonly string[];
  #before: T[] = [];
  #pending: T[] = [];
  #held = '';
  /** True once a stop string was met; nothing comes out after that. */
  stopped = false;

  /** `decode` turns tokens into text, given those that stand before them. Empty stop strings are ignored. */
  constructor(decode: (tokens: readonly T[], before: readonly T[]) => string, stops: readonly string[]) {
    this.#decode = decode;
    this.#stops = stops.filter((stop) => stop !== '');
  }

  /** Adds a token; returns the text that is now certain, perhaps ''. */
  push(token: T): string {
    this.#pending.push(token);
    const text = this.#decode(this.#pending, this.#before);
    if (text.endsWith(REPLACEMENT) && this.#pending.length < MOST_PENDING) return '';
    this.#before = [...this.#before, ...this.#pending].slice(-8);
    this.#pending = [];
    return this.#release(text);
  }

  /** The generation is over: returns what was still held back. */
  end(): string {
    const rest = this.#pending.length > 0 ? this.#decode(this.#pending, this.#before) : '';
    this.#pending = [];
    const out = this.#release(rest) + (this.stopped ? '' : this.#held);
    this.#held = '';
    return out;
  }

  #release(text: string): string {
    if (this.stopped) return '';
    const all = this.#held + text;
    const cut = firstStop(all, this.#stops);
    if (cut >= 0) {
      this.stopped = true;
      this.#held = '';
      return all.slice(0, cut);
    }
    const keep = longestTail(all, this.#stops);
    this.#held = all.slice(all.length - keep);
    return all.slice(0, all.length - keep);
  }
}

/** Where the earliest stop string begins, or -1. */
function firstStop(text: string, stops: readonly string[]): number {
  const places = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0);
  return places.length === 0 ? -1 : Math.min(...places);
}

/** Length of the longest end of `text` that some stop string begins with. */
function longestTail(text: string, stops: readonly string[]): number {
  let longest = 0;
  for (const stop of stops) {
    for (let size = Math.min(stop.length - 1, text.length); size > longest; size--) {
      if (stop.startsWith(text.slice(text.length - size))) longest = size;
    }
  }
  return longest;
}

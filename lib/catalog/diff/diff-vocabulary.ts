import { isJsonObject, type Json, toJson } from '#lib/base/json.ts';
import { diffValues, type ValueDiff } from './diff-values.ts';

/** What a tokenizer's file holds. */
export interface Vocabulary {
  /** Token to id. */
  readonly tokens: ReadonlyMap<string, number>;
  /** Tokens put in beside the vocabulary, to id. */
  readonly added: ReadonlyMap<string, number>;
  /** Rules by which pieces are joined, in order of precedence. */
  readonly merges: readonly string[];
  /** Everything else the file says. */
  readonly settings: Json;
}

export interface TokenChange {
  readonly token: string;
  /** Ids; null on the side where the token is not. */
  readonly before: number | null;
  readonly after: number | null;
}

/** Tokens that came, went and got another id: how many, and the first ones. */
export interface TokenDiff {
  readonly before: number;
  readonly after: number;
  readonly counts: { readonly added: number; readonly removed: number; readonly changed: number };
  readonly first: readonly TokenChange[];
}

export interface VocabularyDiff {
  readonly tokens: TokenDiff;
  readonly added: TokenDiff;
  readonly merges: {
    readonly before: number;
    readonly after: number;
    readonly counts: { readonly added: number; readonly removed: number };
    readonly first: readonly { readonly merge: string; readonly kind: 'added' | 'removed' }[];
  };
  readonly settings: ValueDiff;
}

const MAX_LISTED = 300;
const MAX_TOKEN_CHARS = 200;
const NOTHING: Vocabulary = { tokens: new Map(), added: new Map(), merges: [], settings: {} };
const isId = (value: unknown): value is number => typeof value === 'number';

/** `{token: id}`, or Unigram's `[[token, score], …]`. */
function tokensOf(value: unknown): Map<string, number> {
  if (Array.isArray(value))
    return new Map(
      value.map((pair: unknown, id): [string, number] => [String(Array.isArray(pair) ? pair[0] : pair), id]),
    );
  if (!isJsonObject(value)) return new Map();
  return new Map(Object.entries(value).filter((entry): entry is [string, number] => isId(entry[1])));
}

function addedOf(value: unknown): Map<string, number> {
  const tokens = new Map<string, number>();
  for (const item of Array.isArray(value) ? (value as unknown[]) : [])
    if (isJsonObject(item) && typeof item.content === 'string' && isId(item.id))
      tokens.set(item.content, item.id);
  return tokens;
}

/** `"a b"`, or since tokenizers 0.20 `["a", "b"]`. */
function mergesOf(value: unknown): string[] {
  const list = Array.isArray(value) ? (value as unknown[]) : [];
  return list.map((merge) => (Array.isArray(merge) ? merge.join(' ') : String(merge)));
}

function parseTokenizer(text: string): Vocabulary {
  const json: unknown = JSON.parse(text);
  if (!isJsonObject(json)) throw new SyntaxError('a tokenizer is a JSON object');
  const { model, added_tokens: added, ...rest } = json;
  const { vocab, merges, ...settings } = isJsonObject(model) ? model : {};
  return {
    tokens: tokensOf(vocab),
    added: addedOf(added),
    merges: mergesOf(merges),
    settings: toJson({ ...rest, model: settings }, { maxDepth: 40, maxNodes: 50_000 }),
  };
}

const linesOf = (text: string) => text.replace(/\r?\n$/, '').split(/\r?\n/);

/**
 * Reads a tokenizer's file by its name: `tokenizer.json`, `vocab.json` and `added_tokens.json` (token to id),
 * `vocab.txt` (a token a line), `merges.txt`. '' is a vocabulary with nothing in it. Throws SyntaxError or RangeError
 * for what is no such file.
 */
export function parseVocabulary(path: string, text: string): Vocabulary {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (text === '') return NOTHING;
  if (name === 'tokenizer.json') return parseTokenizer(text);
  if (name === 'vocab.txt')
    return { ...NOTHING, tokens: new Map(linesOf(text).map((token, id) => [token, id])) };
  if (name === 'merges.txt')
    return { ...NOTHING, merges: linesOf(text).filter((line) => !line.startsWith('#version')) };
  const tokens = tokensOf(JSON.parse(text));
  return name === 'added_tokens.json' ? { ...NOTHING, added: tokens } : { ...NOTHING, tokens };
}

const cut = (token: string) =>
  token.length > MAX_TOKEN_CHARS ? `${token.slice(0, MAX_TOKEN_CHARS)}…` : token;

function diffTokens(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): TokenDiff {
  const counts = { added: 0, removed: 0, changed: 0 };
  const first: TokenChange[] = [];
  const note = (kind: keyof typeof counts, token: string, old: number | null, now: number | null) => {
    if (counts[kind]++ < MAX_LISTED) first.push({ token: cut(token), before: old, after: now });
  };
  for (const [token, id] of after) {
    const old = before.get(token);
    if (old === undefined) note('added', token, null, id);
    else if (old !== id) note('changed', token, old, id);
  }
  for (const [token, id] of before) if (!after.has(token)) note('removed', token, id, null);
  return { before: before.size, after: after.size, counts, first };
}

function diffMerges(before: readonly string[], after: readonly string[]): VocabularyDiff['merges'] {
  const [old, now] = [new Set(before), new Set(after)];
  const added = after.filter((merge) => !old.has(merge));
  const removed = before.filter((merge) => !now.has(merge));
  const list = (merges: readonly string[], kind: 'added' | 'removed') =>
    merges.slice(0, MAX_LISTED).map((merge) => ({ merge: cut(merge), kind }));
  return {
    before: before.length,
    after: after.length,
    counts: { added: added.length, removed: removed.length },
    first: [...list(added, 'added'), ...list(removed, 'removed')],
  };
}

/** What differs between two vocabularies: counts of everything, and the first 300 of each kind. Linear. */
export function diffVocabulary(before: Vocabulary, after: Vocabulary): VocabularyDiff {
  return {
    tokens: diffTokens(before.tokens, after.tokens),
    added: diffTokens(before.added, after.added),
    merges: diffMerges(before.merges, after.merges),
    settings: diffValues(before.settings, after.settings),
  };
}

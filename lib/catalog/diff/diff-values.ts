import { isJsonObject, type Json } from '#lib/base/json.ts';

/** One value that differs, by where it stands. */
export interface ValueChange {
  /** Keys and positions from the outside in: `rope_scaling.factor`, `layers[3].type`. */
  readonly path: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** As JSON, cut when it is long; null on the side where it is not. */
  readonly before: string | null;
  readonly after: string | null;
  /** Of a list of plain values: what came and went, cut to the first few. */
  readonly items?: { readonly added: readonly string[]; readonly removed: readonly string[] };
}

export interface ValueDiff {
  readonly changes: readonly ValueChange[];
  /** False when there were more changes than are listed. */
  readonly isComplete: boolean;
}

const MAX_CHANGES = 1_000;
const MAX_CHARS = 1_000;
const MAX_ITEMS = 50;
/** Keys by which the objects of a list are recognised when the list was reordered. */
const NAMES = ['id', 'name', 'key', 'content', 'path'] as const;

function show(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text;
}

const isPlain = (value: Json) => typeof value !== 'object' || value === null;

/** What one list has and the other has not, each as often as it does. */
function missingFrom(list: readonly Json[], other: readonly Json[]): string[] {
  const left = new Map<string, number>();
  for (const value of other) left.set(show(value), (left.get(show(value)) ?? 0) + 1);
  return list.map(show).filter((text) => {
    const count = left.get(text) ?? 0;
    if (count > 0) left.set(text, count - 1);
    return count === 0;
  });
}

/** The key that names every object of a list, each differently; undefined when there is none. */
function namingKey(...lists: readonly (readonly Json[])[]): string | undefined {
  return NAMES.find((key) =>
    lists.every((list) => {
      const names = list.map((value) => (isJsonObject(value) ? value[key] : undefined));
      const areNames = names.every((name) => typeof name === 'string' || typeof name === 'number');
      return areNames && new Set(names).size === names.length;
    }),
  );
}

const entriesOf = (list: readonly Json[], key: string | undefined) =>
  new Map(
    list.map((value, i): [string, Json] => [
      key !== undefined && isJsonObject(value) ? `[${String(value[key])}]` : `[${i}]`,
      value,
    ]),
  );

const isSimpleKey = (key: string) => /^[\w-]+$/.test(key);
const joinKey = (path: string, key: string) =>
  isSimpleKey(key) ? (path === '' ? key : `${path}.${key}`) : `${path}[${JSON.stringify(key)}]`;

/** The parts of a value by how their paths go on; null for a plain value. */
function partsOf(path: string, value: Json, naming: string | undefined): Map<string, Json> | null {
  if (Array.isArray(value))
    return new Map([...entriesOf(value, naming)].map(([key, part]) => [path + key, part]));
  if (!isJsonObject(value)) return null;
  return new Map(Object.entries(value).map(([key, part]) => [joinKey(path, key), part]));
}

function changeOf(path: string, before: Json | undefined, after: Json | undefined): ValueChange {
  const kind = before === undefined ? 'added' : after === undefined ? 'removed' : 'changed';
  const [old, now] = [before === undefined ? null : show(before), after === undefined ? null : show(after)];
  const change = { path, kind, before: old, after: now } as const;
  if (!Array.isArray(before) || !Array.isArray(after)) return change;
  const added = missingFrom(after, before).slice(0, MAX_ITEMS);
  return { ...change, items: { added, removed: missingFrom(before, after).slice(0, MAX_ITEMS) } };
}

/**
 * What differs between two JSON values, by path. Objects by key; a list of plain values as one change that says what
 * came and went; a list of objects by their names where they have any, else by position. Values must be of bounded
 * depth (toJson).
 */
export function diffValues(before: Json, after: Json): ValueDiff {
  const changes: ValueChange[] = [];
  const compare = (path: string, old: Json | undefined, now: Json | undefined): void => {
    if (changes.length > MAX_CHANGES) return;
    const arePlainLists =
      Array.isArray(old) && Array.isArray(now) && [...old, ...now].every((value) => isPlain(value));
    const areLists = Array.isArray(old) && Array.isArray(now);
    const naming = areLists && !arePlainLists ? namingKey(old, now) : undefined;
    const alike = old !== undefined && now !== undefined && Array.isArray(old) === Array.isArray(now);
    const [olds, news] =
      alike && !arePlainLists ? [partsOf(path, old, naming), partsOf(path, now, naming)] : [null, null];
    if (olds && news) {
      for (const key of new Set([...olds.keys(), ...news.keys()])) compare(key, olds.get(key), news.get(key));
      return;
    }
    if (old !== undefined && now !== undefined && JSON.stringify(old) === JSON.stringify(now)) return;
    changes.push(changeOf(path, old, now));
  };
  compare('', before, after);
  return { changes: changes.slice(0, MAX_CHANGES), isComplete: changes.length <= MAX_CHANGES };
}

/** A value that survives JSON and Postgres jsonb unchanged. */
export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** True for a plain JSON object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Copies an untrusted value into plain JSON: NUL and lone surrogates (which jsonb refuses) are cut from
 * strings, NaN and infinities become null, `__proto__` keys and anything that is not data are dropped.
 * Throws RangeError when the value nests deeper than `maxDepth` or holds more than `maxNodes` values.
 */
export function toJson(value: unknown, limits: { maxDepth: number; maxNodes: number }): Json {
  let nodes = 0;
  const copy = (item: unknown, depth: number): Json | undefined => {
    if (depth > limits.maxDepth) throw new RangeError(`nested deeper than ${limits.maxDepth} levels`);
    if (++nodes > limits.maxNodes) throw new RangeError(`more than ${limits.maxNodes} values`);
    if (item === null || typeof item === 'boolean') return item;
    if (typeof item === 'string') return cleanText(item);
    if (typeof item === 'number') return Number.isFinite(item) ? item : null;
    if (typeof item === 'bigint') return Number(item);
    if (Array.isArray(item)) return item.map((child) => copy(child, depth + 1) ?? null);
    if (typeof item !== 'object') return undefined;
    const result: JsonObject = {};
    for (const [key, child] of Object.entries(item)) {
      if (key === '__proto__') continue;
      const copied = copy(child, depth + 1);
      if (copied !== undefined) result[cleanText(key)] = copied;
    }
    return result;
  };
  return copy(value, 0) ?? null;
}

function cleanText(text: string): string {
  return text.replaceAll('\0', '').toWellFormed();
}

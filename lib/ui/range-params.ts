import type { PageQuery } from './query.ts';
import { decodeSegment, type TailParams } from './repo-params.ts';

/**
 * The comparison that an address names: its decoded rest, or two ticked commits of a list (`?c=newer&c=older`). ''
 * when it names none.
 */
export async function rangeOf(params: TailParams, query: PageQuery): Promise<string> {
  const { tail = [] } = await params;
  if (tail.length > 0) return tail.map(decodeSegment).join('/');
  const { c: ticked } = await query;
  const [newer, older, ...more] = Array.isArray(ticked) ? ticked : [];
  const isPair = newer !== undefined && older !== undefined && more.length === 0;
  return isPair && [newer, older].every((oid) => /^[0-9a-f]{40}$/.test(oid)) ? `${older}..${newer}` : '';
}

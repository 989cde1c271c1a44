/** What a file means, beyond its lines. */
export type MeaningKind = 'card' | 'config' | 'vocabulary';

const VOCABULARY = /(?:^|\/)(?:tokenizer\.json|vocab\.json|vocab\.txt|added_tokens\.json|merges\.txt)$/;
/** The weights' own index is told by the weights. */
const NO_CONFIG = /\.index\.json$/;

/** How a file can be compared by what it means; null: only line by line. */
export function meaningKind(path: string): MeaningKind | null {
  if (/(?:^|\/)README\.md$/i.test(path)) return 'card';
  if (VOCABULARY.test(path)) return 'vocabulary';
  return path.endsWith('.json') && !NO_CONFIG.test(path) ? 'config' : null;
}

import type { Ctx } from '#lib/identity/context.ts';
import { parseFrontMatter } from '#lib/repos/front-matter.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import type { Repo, TreeEntry } from '#lib/repos/types.ts';
import { MAX_CARD_BYTES } from '../limits.ts';

export interface Card {
  /** The Markdown without its front matter, cut to MAX_CARD_BYTES. */
  readonly text: string;
  readonly isCut: boolean;
  /** What is wrong with the front matter. */
  readonly warnings: readonly string[];
}

/** The README among these entries as a card, or null when there is none (or it is a large file). */
export async function readCard(ctx: Ctx, repo: Repo, entries: readonly TreeEntry[]): Promise<Card | null> {
  const entry = entries.find((each) => /(?:^|\/)readme\.md$/i.test(each.path) && each.type === 'file');
  if (entry === undefined || entry.lfs !== undefined) return null;
  const bytes = await readBlob(ctx.db, repo.id, entry.oid);
  return cardOf(bytes);
}

/** Parses the bytes of a README. Total: any bytes give a card. */
export function cardOf(bytes: Buffer): Card {
  const isCut = bytes.length > MAX_CARD_BYTES;
  const { body, errors } = parseFrontMatter(bytes.subarray(0, MAX_CARD_BYTES).toString('utf8'));
  return { text: body, isCut, warnings: errors.slice(0, 5) };
}

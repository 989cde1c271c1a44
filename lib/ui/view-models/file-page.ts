import { isHubError } from '#lib/base/errors.ts';
import { type ReadRange, readRange } from '#lib/catalog/read-range.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import { type ResolvedFile, resolveFile } from '#lib/repos/resolve-file.ts';
import type { CommitSummary, RepoRef, TreeEntry } from '#lib/repos/types.ts';
import { MAX_SOURCE_BYTES } from '../limits.ts';
import { type Card, cardOf } from './card.ts';
import { lastCommitOf, type PlaceInRepo, placeInRepo } from './place-in-repo.ts';
import { readTensors, type TensorView } from './tensors.ts';

/** How a file can be shown. */
export type FileView =
  | { readonly kind: 'text'; readonly text: string; readonly isCut: boolean }
  | { readonly kind: 'markdown'; readonly card: Card; readonly text: string; readonly isCut: boolean }
  | { readonly kind: 'image' }
  | { readonly kind: 'tensors'; readonly view: TensorView }
  | { readonly kind: 'unreadable'; readonly reason: string }
  | { readonly kind: 'binary' | 'pending' };

export interface FilePage {
  readonly place: PlaceInRepo;
  readonly entry: TreeEntry;
  readonly lastCommit: CommitSummary | null;
  readonly view: FileView;
}

const IMAGE = /\.(?:png|jpe?g|gif|webp|avif|svg|ico|bmp)$/i;
const WEIGHTS = /\.(?:gguf|safetensors)$/i;
const MAX_IMAGE_BYTES = 25_000_000;
const SNIFF_BYTES = 8_192;

/** A file of a repo with what can be shown of it. Never reads more of it than is shown. */
export async function filePage(ctx: Ctx, ref: RepoRef, rawTail: string): Promise<FilePage> {
  const place = await placeInRepo(ctx, ref, rawTail);
  const found = await resolveFile(ctx, ref, { revision: place.commitOid, path: place.path });
  const [view, lastCommit] = await Promise.all([
    viewOf(ctx, found),
    lastCommitOf(ctx, place.overview.repo, place.commitOid, place.path),
  ]);
  return { place, entry: found.entry, lastCommit, view };
}

async function viewOf(ctx: Ctx, found: ResolvedFile): Promise<FileView> {
  const { entry, file } = found;
  if (entry.lfs !== undefined && file === null) return { kind: 'pending' };
  if (IMAGE.test(entry.path) && entry.sizeBytes <= MAX_IMAGE_BYTES) return { kind: 'image' };
  const blob = file === null ? await readBlob(ctx.db, found.repo.id, entry.oid) : null;
  const read: ReadRange =
    file === null
      ? async (start, end) => (blob as Buffer).subarray(start, end + 1)
      : readRange(ctx, file, ctx.signal);
  if (WEIGHTS.test(entry.path)) {
    try {
      return { kind: 'tensors', view: await readTensors(entry.path, read, entry.sizeBytes) };
    } catch (error) {
      if (isHubError(error) && error.code === 'invalid_object')
        return { kind: 'unreadable', reason: error.message };
      throw error;
    }
  }
  return textView(entry, read);
}

async function textView(entry: TreeEntry, read: ReadRange): Promise<FileView> {
  if (entry.sizeBytes === 0) return { kind: 'text', text: '', isCut: false };
  const head = await read(0, Math.min(entry.sizeBytes, SNIFF_BYTES) - 1);
  if (!looksLikeText(head)) return { kind: 'binary' };
  const shown = Math.min(entry.sizeBytes, MAX_SOURCE_BYTES);
  const bytes = shown > head.length ? await read(0, shown - 1) : head;
  const isCut = entry.sizeBytes > shown;
  const text = bytes.toString('utf8');
  return /\.(?:md|markdown)$/i.test(entry.path)
    ? { kind: 'markdown', card: cardOf(bytes), text, isCut }
    : { kind: 'text', text, isCut };
}

/** No NUL and almost no byte that UTF-8 does not know (the last character may be cut). */
function looksLikeText(head: Buffer): boolean {
  if (head.includes(0)) return false;
  const wrong = head.toString('utf8').split('\ufffd').length - 1;
  return wrong <= Math.max(1, head.length / 200);
}

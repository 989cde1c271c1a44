/* oxlint-disable unicorn/require-post-message-target-origin -- a worker's port, not a window */
import { createSHA1, createSHA256, type IHasher } from 'hash-wasm';

/** How a large file is named, and how git names a small one. */
export type HashKind = 'sha256' | 'git-blob';
/** What a page asks: hash this file, or stop. */
export type HashOrder =
  | { readonly id: number; readonly file: Blob; readonly kind: HashKind }
  | { readonly stop: number };
/** What it is told: how far, the end, or that the file cannot be read. */
export type HashNews =
  | { readonly id: number; readonly bytes: number }
  | { readonly id: number; readonly hash: string }
  | { readonly id: number; readonly error: string };

const SLICE_BYTES = 4 * 1024 * 1024;
const NEWS_MS = 100;
const scope = self as unknown as {
  postMessage(news: HashNews): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<HashOrder>) => void): void;
};
const stopped = new Set<number>();

async function hasherOf(kind: HashKind, sizeBytes: number): Promise<IHasher> {
  if (kind === 'sha256') return (await createSHA256()).init();
  return (await createSHA1()).init().update(`blob ${sizeBytes}\0`);
}

/** One slice in memory while the next is read: a file of 50 GB needs 8 MB here. */
async function hash(id: number, file: Blob, kind: HashKind): Promise<void> {
  const hasher = await hasherOf(kind, file.size);
  const read = (at: number) => file.slice(at, at + SLICE_BYTES).arrayBuffer();
  let [told, next] = [0, read(0)];
  for (let at = 0; at < file.size; at += SLICE_BYTES) {
    const slice = await next;
    if (stopped.has(id)) {
      next.catch(() => {});
      return;
    }
    if (at + SLICE_BYTES < file.size) next = read(at + SLICE_BYTES);
    hasher.update(new Uint8Array(slice));
    const now = performance.now();
    if (now - told < NEWS_MS) continue;
    told = now;
    scope.postMessage({ id, bytes: at + slice.byteLength });
  }
  scope.postMessage({ id, hash: hasher.digest() });
}

scope.addEventListener('message', ({ data }) => {
  if ('stop' in data) {
    stopped.add(data.stop);
    return;
  }
  const { id, file, kind } = data;
  hash(id, file, kind)
    .catch((error: unknown) =>
      scope.postMessage({ id, error: error instanceof Error ? error.message : String(error) }),
    )
    .finally(() => stopped.delete(id));
});

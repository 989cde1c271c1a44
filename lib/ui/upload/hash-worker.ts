/* oxlint-disable unicorn/require-post-message-target-origin -- a worker's port, not a window */
import { createSHA256 } from 'hash-wasm';

/** What a page asks: hash this file, or stop. */
export type HashOrder = { readonly id: number; readonly file: Blob } | { readonly stop: number };
/** What it is told: how far, the end, or that the file cannot be read. */
export type HashNews =
  | { readonly id: number; readonly bytes: number }
  | { readonly id: number; readonly sha256: string }
  | { readonly id: number; readonly error: string };

const SLICE_BYTES = 4 * 1024 * 1024;
const NEWS_MS = 100;
const scope = self as unknown as {
  postMessage(news: HashNews): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<HashOrder>) => void): void;
};
const stopped = new Set<number>();

/** One slice in memory while the next is read: a file of 50 GB needs 8 MB here. */
async function hash(id: number, file: Blob): Promise<void> {
  const sha256 = (await createSHA256()).init();
  const read = (at: number) => file.slice(at, at + SLICE_BYTES).arrayBuffer();
  let [told, next] = [0, read(0)];
  for (let at = 0; at < file.size; at += SLICE_BYTES) {
    const slice = await next;
    if (stopped.has(id)) {
      next.catch(() => {});
      return;
    }
    if (at + SLICE_BYTES < file.size) next = read(at + SLICE_BYTES);
    sha256.update(new Uint8Array(slice));
    const now = performance.now();
    if (now - told < NEWS_MS) continue;
    told = now;
    scope.postMessage({ id, bytes: at + slice.byteLength });
  }
  scope.postMessage({ id, sha256: sha256.digest() });
}

scope.addEventListener('message', ({ data }) => {
  if ('stop' in data) {
    stopped.add(data.stop);
    return;
  }
  const { id, file } = data;
  hash(id, file)
    .catch((error: unknown) =>
      scope.postMessage({ id, error: error instanceof Error ? error.message : String(error) }),
    )
    .finally(() => stopped.delete(id));
});

import { beginDirect, bytesIn, callJson, type DirectSession, isOpen } from './direct-session.ts';
import { SendError } from './send-error.ts';
import type { SendOptions } from './send-tus.ts';

const PARTS_AT_ONCE = 4;
const TRIES_A_PART = 3;
const STUCK_MS = 30_000;

/** The store cannot be reached from this browser, though the hub can: another way must be taken. */
export class StoreUnreachable extends Error {}

interface PartAnswer {
  readonly status: number;
  readonly etag: string | null;
}

/** One try of one part. Status 0: nothing was answered. */
function putPart(
  url: string,
  part: Blob,
  onProgress: (bytes: number) => void,
  signal: AbortSignal,
): Promise<PartAnswer> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    let movedAt = performance.now();
    const watch = setInterval(() => performance.now() - movedAt > STUCK_MS && request.abort(), 1_000);
    const stop = () => request.abort();
    request.upload.addEventListener('progress', (event) => {
      movedAt = performance.now();
      onProgress(event.loaded);
    });
    request.upload.addEventListener('load', () => clearInterval(watch));
    request.addEventListener('loadend', () => {
      clearInterval(watch);
      signal.removeEventListener('abort', stop);
      resolve({ status: request.status, etag: request.getResponseHeader('etag') });
    });
    signal.addEventListener('abort', stop);
    request.open('PUT', url);
    request.send(part);
  });
}

/** A browser tells nobody why a request to another host failed: if the hub answers, it was not the network. */
async function isHubThere(signal: AbortSignal): Promise<boolean> {
  return fetch('/healthz', { cache: 'no-store', signal }).then(
    (response) => response.ok,
    () => false,
  );
}

class Parts {
  private session: DirectSession;
  private readonly options: SendOptions;
  private readonly running = new Map<number, number>();
  private hasMoved = false;

  constructor(session: DirectSession, options: SendOptions) {
    this.session = session;
    this.options = options;
  }

  /** Sends what is missing, several parts at a time; what is in stays in when one fails. Throws SendError. */
  async sendAll(): Promise<DirectSession> {
    const left = this.session.etags.flatMap((etag, i) => (etag === null ? [i] : []));
    const failures: unknown[] = [];
    const lane = async () => {
      for (let i = left.shift(); i !== undefined && failures.length === 0; i = left.shift())
        await this.send(i).catch((error: unknown) => failures.push(error));
    };
    await Promise.all(Array.from({ length: PARTS_AT_ONCE }, lane));
    if (failures.length === 0) return this.session;
    // nothing ever went out: another host that may not be asked looks like this, and so does a dead network
    if (!this.hasMoved && (await isHubThere(this.options.signal))) throw new StoreUnreachable();
    throw failures[0];
  }

  private async send(index: number): Promise<void> {
    const { file, signal } = this.options;
    const { partBytes, urls } = this.session;
    const part = file.slice(index * partBytes, (index + 1) * partBytes);
    for (let tries = 1; ; tries++) {
      const onProgress = (bytes: number) => this.tell(index, bytes);
      const { status, etag } = await putPart(urls[index] ?? '', part, onProgress, signal);
      this.tell(index, 0);
      if (signal.aborted) throw new DOMException('stopped', 'AbortError');
      if (status === 200 && etag !== null) return this.note(index, etag);
      if (status === 200) throw new StoreUnreachable(); // its answers cannot be read from here
      if (status === 403 || status === 404) throw new SendError('anew', '', status); // the links ended
      if (status === 0 || tries === TRIES_A_PART) throw new SendError('later', '', status);
    }
  }

  private note(index: number, etag: string): void {
    this.session = { ...this.session, etags: this.session.etags.with(index, etag) };
    this.running.delete(index);
    this.options.onDirect(this.session);
    this.tell(index, 0);
  }

  private tell(index: number, bytes: number): void {
    this.hasMoved ||= bytes > 0;
    if (bytes > 0) this.running.set(index, bytes);
    else this.running.delete(index);
    const running = [...this.running.values()].reduce((sum, each) => sum + each, 0);
    this.options.onProgress(bytesIn(this.session, this.options.file.size) + running);
  }
}

/**
 * Sends a file to the store itself, in parts; the hub joins them, reads them back and hashes them before the file
 * counts. Goes on where an earlier try got to. Resolves with the SHA-256, or null when the file is too small to be worth
 * it. Throws SendError, StoreUnreachable, AbortError.
 */
export async function sendDirect(options: SendOptions): Promise<string | null> {
  const { place, item, onDirect, onProgress, signal } = options;
  const { sha256 } = item;
  if (sha256 === null) return null;
  const session = isOpen(item.direct) ? item.direct : await beginDirect(place, item, signal);
  if (session === null) return sha256;
  if (session === 'small') return null;
  onDirect(session);
  const { etags, completeUrl } = await new Parts(session, options).sendAll();
  onProgress(item.sizeBytes);
  const parts = etags.map((etag, i) => ({ partNumber: i + 1, etag }));
  await callJson(completeUrl, { oid: sha256, parts }, signal);
  return sha256;
}

import { waitForNetwork } from './back-off.ts';
import { SendError } from './send-error.ts';
import type { SendOptions } from './send-tus.ts';
import type { UploadItem } from './upload-item.ts';

/** What a file's sender needs to know and to tell. */
export interface SendingHost {
  readonly file: File;
  item(): UploadItem | undefined;
  change(change: Partial<UploadItem>): void;
  progress(bytes: number): void;
  /** Resolves when the address is kept. */
  keepUrl(url: string): void;
  /** One try. */
  send(options: Omit<SendOptions, 'place' | 'item'>): Promise<string | null>;
}

/** Answers after which the address of an upload is of no more use: what it holds is not this file. */
const SPOILT = new Set([400, 413, 415, 422]);

async function isReadable(file: File): Promise<boolean> {
  return file
    .slice(Math.max(0, file.size - 1))
    .arrayBuffer()
    .then(
      () => true,
      () => false,
    );
}

/** One try, which ends when the browser goes offline: a dead line does not say so by itself. */
async function tryOnce(host: SendingHost, signal: AbortSignal): Promise<string | null> {
  const attempt = new AbortController();
  const stop = () => attempt.abort();
  window.addEventListener('offline', stop);
  signal.addEventListener('abort', stop);
  try {
    return await host.send({
      file: host.file,
      onUrl: (url) => host.keepUrl(url),
      onDirect: (direct) => host.change({ direct }),
      onProgress: (bytes) => host.progress(bytes),
      signal: attempt.signal,
    });
  } catch (error) {
    if (signal.aborted || error instanceof SendError) throw error;
    throw new SendError('later', '');
  } finally {
    window.removeEventListener('offline', stop);
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Sends a file until it is in: after a break of the network, a restart of the hub or a lost upload it goes on by
 * itself, as often as it takes. Ends early only when the hub will not take the file, when the browser cannot read
 * it any more, or when stopped.
 */
export async function sendUntilDone(host: SendingHost, signal: AbortSignal): Promise<void> {
  let tries = 0;
  while (!signal.aborted) {
    const before = host.item()?.sentBytes ?? 0;
    host.change({ state: 'sending', reason: '' });
    try {
      const sha256 = (await tryOnce(host, signal)) ?? host.item()?.sha256 ?? null;
      if (sha256 === null) throw new SendError('anew', '');
      host.change({ state: 'done', step: 'finished', sha256, sentBytes: host.file.size, reason: '' });
      return;
    } catch (error) {
      if (signal.aborted || !(error instanceof SendError)) return;
      if (error.kind === 'never') {
        const isSpoilt = SPOILT.has(error.status);
        host.change({
          state: 'failed',
          reason: error.message,
          ...(isSpoilt && { uploadUrl: null, direct: null, sentBytes: 0 }),
        });
        return;
      }
      if (!(await isReadable(host.file))) {
        host.change({ state: 'missing' });
        return;
      }
      if (error.kind === 'anew') host.change({ uploadUrl: null, direct: null, sentBytes: 0 });
      tries = (host.item()?.sentBytes ?? 0) > before ? 1 : tries + 1;
      host.change({ state: 'stalled', reason: error.message });
      await waitForNetwork(tries, signal).catch(() => {});
    }
  }
}

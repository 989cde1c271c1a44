import { DetailedError, Upload } from 'tus-js-client';
import { apiAddress } from '../addresses.ts';
import type { DirectSession } from './direct-session.ts';
import { SendError, sendErrorOf } from './send-error.ts';
import type { UploadItem } from './upload-item.ts';
import type { UploadPlace } from './upload-place.ts';

export interface SendOptions {
  readonly place: UploadPlace;
  readonly item: UploadItem;
  readonly file: File;
  /** The upload has an address now (or a new one). */
  readonly onUrl: (url: string) => void;
  /** A part is at the store, or will be. */
  readonly onDirect: (session: DirectSession) => void;
  /** How many bytes were handed to the network. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Up to this size a file travels with the request that begins its upload: one request for it, and little to send again. */
const WITH_CREATION_BYTES = 4 * 1024 * 1024;
/** No byte moved for so long: the line is dead, though nobody said so. */
const STUCK_MS = 30_000;

function errorOf(error: unknown): SendError {
  if (!(error instanceof DetailedError)) return new SendError('later', String(error));
  const response = error.originalResponse;
  return response ? sendErrorOf(response.getStatus(), response.getBody()) : new SendError('later', '');
}

/**
 * Sends a file through the hub, from where an earlier try got to, in one request: the browser reads it from the
 * disk as the network takes it. Resolves with the SHA-256 of what arrived. Throws SendError, or AbortError.
 */
export function sendByTus({
  place,
  item,
  file,
  onUrl,
  onProgress,
  signal,
}: SendOptions): Promise<string | null> {
  return new Promise((resolve, reject) => {
    let [movedAt, isAllSent] = [performance.now(), false];
    const watch = setInterval(() => {
      if (!isAllSent && performance.now() - movedAt > STUCK_MS) end(() => reject(new SendError('later', '')));
    }, 1_000);
    const upload = new Upload(file, {
      endpoint: apiAddress(place.repo, 'tus'),
      uploadUrl: item.uploadUrl,
      uploadDataDuringCreation: file.size <= WITH_CREATION_BYTES,
      retryDelays: null, // the queue waits and tries again: it never gives up by itself
      storeFingerprintForResuming: false, // the queue keeps the address
      metadata: {
        path: item.path,
        revision: place.branch,
        createPr: String(!place.mayWrite),
        ...(item.sha256 !== null && { sha256: item.sha256 }),
      },
      onUploadUrlAvailable: () => upload.url && onUrl(upload.url),
      onProgress: (bytes) => {
        movedAt = performance.now();
        isAllSent = bytes >= file.size;
        onProgress(bytes);
      },
      onError: (error) => {
        const failure = errorOf(error);
        end(() => reject(failure));
      },
      onSuccess: ({ lastResponse }) => {
        const sha256 = lastResponse.getHeader('Larder-Sha256') ?? null;
        end(() => resolve(sha256));
      },
    });
    const stop = () => end(() => reject(new DOMException('stopped', 'AbortError')));
    // a request that was let go has neither status nor headers any more: they are read before
    const end = (settle: () => void) => {
      clearInterval(watch);
      signal.removeEventListener('abort', stop);
      void upload.abort().catch(() => {});
      settle();
    };
    if (signal.aborted) return stop();
    signal.addEventListener('abort', stop);
    upload.start();
  });
}

/** How far an upload got, as the hub has it; null when it knows no such upload (any more). */
export async function askOffset(
  uploadUrl: string,
): Promise<{ offsetBytes: number; sha256: string | null } | null> {
  const response = await fetch(uploadUrl, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } });
  const offsetBytes = Number(response.headers.get('upload-offset') ?? Number.NaN);
  if (!response.ok || !Number.isSafeInteger(offsetBytes)) return null;
  return { offsetBytes, sha256: response.headers.get('larder-sha256') };
}

/** Tells the hub that an upload will not continue; it would find out by itself later. */
export async function dropUpload(uploadUrl: string): Promise<void> {
  await fetch(uploadUrl, { method: 'DELETE', headers: { 'tus-resumable': '1.0.0' } }).catch(() => {});
}

import { DetailedError, Upload } from 'tus-js-client';
import { apiAddress } from '../addresses.ts';
import type { UploadItem } from './upload-item.ts';
import type { UploadPlace } from './upload-place.ts';

/** Why a file did not get through this time. */
export class SendError extends Error {
  /** `later`: try again after a while; `anew`: begin again from the first byte; `never`: the hub will not take it. */
  readonly kind: 'later' | 'anew' | 'never';
  /** Of the hub's answer; 0 without one. */
  readonly status: number;

  constructor(kind: SendError['kind'], message: string, status = 0) {
    super(message);
    this.name = 'SendError';
    this.kind = kind;
    this.status = status;
  }
}

export interface SendOptions {
  readonly place: UploadPlace;
  readonly item: UploadItem;
  readonly file: File;
  /** The upload has an address now (or a new one). */
  readonly onUrl: (url: string) => void;
  /** How many bytes were handed to the network. */
  readonly onProgress: (bytes: number) => void;
  readonly signal: AbortSignal;
}

/** Answers that pass: a broken line, an upload that another request still holds, a hub that starts or is busy. */
const PASSING = new Set([0, 408, 409, 423, 425, 429]);
/** No byte moved for so long: the line is dead, though nobody said so. */
const STUCK_MS = 30_000;

function messageOf(body: string): string {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === 'string' ? error : '';
  } catch {
    return body.startsWith('<') ? '' : body.slice(0, 300).trim();
  }
}

/** What an answer of the hub to a sent file means. */
export function sendErrorOf(status: number, body: string): SendError {
  if (PASSING.has(status) || status >= 500) return new SendError('later', messageOf(body), status);
  if (status === 404 || status === 410) return new SendError('anew', messageOf(body), status);
  return new SendError('never', messageOf(body) || `HTTP ${status}`, status);
}

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
      onError: (error) => end(() => reject(errorOf(error))),
      onSuccess: ({ lastResponse }) => end(() => resolve(lastResponse.getHeader('Larder-Sha256') ?? null)),
    });
    const stop = () => end(() => reject(new DOMException('stopped', 'AbortError')));
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

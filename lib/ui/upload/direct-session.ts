import { repoAddress } from '../addresses.ts';
import { SendError, sendErrorOf } from './send-error.ts';
import type { UploadItem } from './upload-item.ts';
import type { UploadPlace } from './upload-place.ts';

/** An upload to the store itself, in parts: kept with the file, so that it continues after a reload. */
export interface DirectSession {
  readonly partBytes: number;
  /** Where each part goes, signed by the hub. */
  readonly urls: readonly string[];
  /** What the store called each part that is in; null for the others. */
  readonly etags: readonly (string | null)[];
  /** Where the hub is told that all parts are in; it reads them back and hashes them. */
  readonly completeUrl: string;
  readonly expiresMs: number;
}

/** Links that are about to end are not begun with. */
const MARGIN_MS = 10 * 60_000;

interface BatchObject {
  error?: { code: number; message: string };
  actions?: { upload: { href: string; header?: Record<string, string>; expires_in?: number } };
}

/** A JSON call to the hub whose failure says how to go on. Throws SendError. */
export async function callJson(url: string, body: unknown, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/vnd.git-lfs+json',
      accept: 'application/vnd.git-lfs+json',
    },
    body: JSON.stringify(body),
    signal,
  }).catch(() => {
    throw new SendError('later', '');
  });
  const text = await response.text().catch(() => '');
  if (!response.ok) throw sendErrorOf(response.status, text);
  return JSON.parse(text);
}

/**
 * Asks the hub where the parts of a file go. Null: the repo has the file already; `small`: it goes in one piece, for
 * which the way through the hub is as good. Throws SendError.
 */
export async function beginDirect(
  place: UploadPlace,
  item: UploadItem,
  signal: AbortSignal,
): Promise<DirectSession | 'small' | null> {
  const answer = (await callJson(
    `${repoAddress(place.repo)}.git/info/lfs/objects/batch`,
    {
      operation: 'upload',
      transfers: ['multipart', 'basic'],
      objects: [{ oid: item.sha256, size: item.sizeBytes }],
    },
    signal,
  )) as { transfer: string; objects: BatchObject[] };
  const [object] = answer.objects;
  if (object?.error) throw new SendError('never', object.error.message, object.error.code);
  const upload = object?.actions?.upload;
  if (!upload) return null;
  const { chunk_size, ...links } = upload.header ?? {};
  if (answer.transfer !== 'multipart' || chunk_size === undefined) return 'small';
  const urls = Object.entries(links)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, url]) => url);
  return {
    partBytes: Number(chunk_size),
    urls,
    etags: urls.map(() => null),
    completeUrl: upload.href,
    expiresMs: Date.now() + (upload.expires_in ?? 3_600) * 1_000,
  };
}

/** Whether an upload that was begun earlier can continue. */
export function isOpen(session: DirectSession | null): session is DirectSession {
  return session !== null && session.expiresMs > Date.now() + MARGIN_MS;
}

/** Bytes of the parts that are in. */
export function bytesIn(session: DirectSession, sizeBytes: number): number {
  return session.etags.reduce(
    (sum, etag, i) =>
      sum + (etag === null ? 0 : Math.min(session.partBytes, sizeBytes - i * session.partBytes)),
    0,
  );
}

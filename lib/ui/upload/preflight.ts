import { apiAddress } from '../addresses.ts';
import { callHub } from '../call-hub.ts';
import type { UploadItem } from './upload-item.ts';
import type { UploadPlace } from './upload-place.ts';

/** What the hub says of one file before the first byte. */
export interface FileVerdict {
  readonly path: string;
  readonly how: 'inline' | 'upload' | 'stored' | 'refused';
  readonly reason?: string;
  /** False: no file of this size is among those that the user may read, so hashing first saves nothing. */
  readonly maybeStored?: boolean;
  /** What lies at the path now: sha256 of a large file, git blob id of a small one. */
  readonly oid?: string;
}

/** How full the quota is that this upload comes closest to. */
export interface Room {
  readonly what: 'repo' | 'user' | 'org';
  readonly name: string;
  readonly usedBytes: number;
  readonly limitBytes: number;
}

export interface Preflight {
  readonly transfer: 'tus' | 'direct';
  /** Why nothing can be uploaded at all. */
  readonly refused: string | null;
  readonly room: Room | null;
  readonly files: ReadonlyMap<string, FileVerdict>;
}

const FILES_A_CALL = 5_000;
const SAMPLE_BYTES = 512;
/** From here on a file is large whatever is in it. */
const LARGE_FROM_BYTES = 10 * 1024 * 1024;
const READ_AT_ONCE = 64;

async function sampleOf(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.slice(0, SAMPLE_BYTES).arrayBuffer());
  return btoa(String.fromCharCode(...bytes));
}

async function questionOf(item: UploadItem, file: File | undefined) {
  const { path, sizeBytes, sha256 } = item;
  // a file that cannot be read is found out when it is sent, with a better message
  const sample =
    file && sizeBytes < LARGE_FROM_BYTES ? await sampleOf(file).catch(() => undefined) : undefined;
  return { path, sizeBytes, ...(sha256 !== null && { sha256 }), ...(sample !== undefined && { sample }) };
}

interface Answer {
  transfer: 'tus' | 'direct';
  refused: string | null;
  room?: Room;
  files: FileVerdict[];
}

/**
 * Asks the hub about all these files; nothing is changed by it. Throws CallError. What one call says of the upload
 * as a whole (no right, no room) counts for all.
 */
export async function askPreflight(
  place: UploadPlace,
  items: readonly UploadItem[],
  files: ReadonlyMap<string, File>,
  signal: AbortSignal,
): Promise<Preflight> {
  const verdicts = new Map<string, FileVerdict>();
  let [transfer, refused, room]: [Preflight['transfer'], string | null, Room | null] = ['tus', null, null];
  for (let from = 0; from < items.length; from += FILES_A_CALL) {
    const some = items.slice(from, from + FILES_A_CALL);
    const questions: Awaited<ReturnType<typeof questionOf>>[] = [];
    for (let at = 0; at < some.length; at += READ_AT_ONCE) {
      const few = some.slice(at, at + READ_AT_ONCE);
      questions.push(...(await Promise.all(few.map((item) => questionOf(item, files.get(item.id))))));
    }
    const answer = await callHub<Answer>(
      'POST',
      apiAddress(place.repo, 'upload-preflight'),
      { revision: place.branch, createPr: !place.mayWrite, files: questions },
      signal,
    );
    for (const verdict of answer.files) verdicts.set(verdict.path, verdict);
    transfer = answer.transfer;
    refused ??= answer.refused;
    room = answer.room ?? room;
  }
  return { transfer, refused, room, files: verdicts };
}

/** Gives the repo those of these files that the hub has and the user may read; returns their hashes. Throws CallError. */
export async function linkStored(
  place: UploadPlace,
  items: readonly UploadItem[],
  signal: AbortSignal,
): Promise<ReadonlySet<string>> {
  const files = items.map(({ sha256, sizeBytes }) => ({ sha256, sizeBytes }));
  const address = `${apiAddress(place.repo, 'upload-links')}${place.mayWrite ? '' : '?create_pr=1'}`;
  const { linked } = await callHub<{ linked: string[] }>('POST', address, { files }, signal);
  return new Set(linked);
}

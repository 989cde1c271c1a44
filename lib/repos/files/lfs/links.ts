import { hubError } from '#lib/base/errors.ts';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { sign, signRounded, verify } from '#lib/identity/signing.ts';

/** What a link lets its holder do; each is signed with a key of its own, so that none passes for another. */
export type LinkOperation = 'put' | 'part' | 'complete' | 'verify' | 'get';

/** What a link is bound to. Clients send no credentials with these requests: the link is the right. */
export interface FileGrant {
  readonly repoId: RepoId;
  readonly userId: string;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** Brings the file for a pull request: see require-upload. */
  readonly isGuest?: true;
}

export interface UploadGrant extends FileGrant {
  /** Row of the multipart upload. */
  readonly uploadId: string;
}

export interface PartGrant {
  readonly uploadId: string;
  readonly partNumber: number;
  /** Exact length of this part. */
  readonly sizeBytes: number;
}

interface Grants {
  put: FileGrant;
  verify: FileGrant;
  get: Omit<FileGrant, 'userId'>;
  complete: UploadGrant;
  part: PartGrant;
}

const HOUR_SECONDS = 3600;
const WEEK_SECONDS = 7 * 24 * HOUR_SECONDS;
/** Bytes per second of the slowest line that is given enough time. */
const SLOWEST_BYTES_PER_SECOND = 1_000_000;

/** How long links for a batch of this many bytes live: an hour, more for slow lines, at most S3's seven days. */
export function linkLifetime(totalBytes: number): number {
  return Math.min(WEEK_SECONDS, HOUR_SECONDS + Math.ceil(totalBytes / SLOWEST_BYTES_PER_SECOND));
}

/** A token for the path of a link; of a download the same one for a while, so that it can be cached. */
export function signLink<O extends LinkOperation>(
  app: App,
  operation: O,
  grant: Grants[O],
  expiresSeconds: number,
): string {
  const signing = operation === 'get' ? signRounded : sign;
  return signing(app, `lfs.${operation}`, grant, expiresSeconds);
}

/** What a token grants; `forbidden` when it is expired, altered or made for another operation. */
export function openLink<O extends LinkOperation>(app: App, operation: O, token: string): Grants[O] {
  const grant = verify<Grants[O]>(app, `lfs.${operation}`, token);
  if (grant === null)
    throw hubError('forbidden', 'this link is not valid or has expired: ask the batch API for a new one');
  return grant;
}

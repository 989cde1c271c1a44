import { hash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, deflate, deflateSync, inflate, inflateSync } from 'node:zlib';
import type { Oid, Sha256 } from '#lib/base/ids.ts';

/** git's own type numbers, as in a pack and in git_object.kind. */
export const KIND = { commit: 1, tree: 2, blob: 3, tag: 4 } as const;
export type Kind = (typeof KIND)[keyof typeof KIND];

const KIND_NAME: Record<Kind, string> = { 1: 'commit', 2: 'tree', 3: 'blob', 4: 'tag' };

/** An object ready to be a row: `data` is the content deflated as a pack carries it. */
export interface EncodedObject {
  readonly oid: Oid;
  readonly kind: Kind;
  /** Bytes of the content, inflated. */
  readonly sizeBytes: number;
  readonly data: Buffer;
  /** Set on a blob that is an LFS pointer. */
  readonly lfs?: { readonly sha256: Sha256; readonly sizeBytes: number };
}

/** A row as stored, still deflated. */
export type StoredGitObject = Pick<EncodedObject, 'oid' | 'kind' | 'sizeBytes' | 'data'>;

const deflateAsync = promisify<Buffer, { level: number }, Buffer>(deflate);
const inflateAsync = promisify<Buffer, { maxOutputLength: number; finishFlush: number }, Buffer>(inflate);
/** Below this the thread pool costs more than the work. */
const SYNC_LIMIT_BYTES = 64 * 1024;
const LEVEL = { level: 1 };

/** git's object id: SHA-1 over `<type> <length>\0<content>`. */
function oidOf(kind: Kind, content: Buffer): Oid {
  const header = Buffer.from(`${KIND_NAME[kind]} ${content.length}\0`);
  return hash('sha1', Buffer.concat([header, content]), 'hex') as Oid;
}

/** Names and deflates one object. Large contents are deflated off the main thread. */
export async function encodeObject(
  kind: Kind,
  content: Buffer,
  lfs?: EncodedObject['lfs'],
): Promise<EncodedObject> {
  const data =
    content.length <= SYNC_LIMIT_BYTES ? deflateSync(content, LEVEL) : await deflateAsync(content, LEVEL);
  const object = { oid: oidOf(kind, content), kind, sizeBytes: content.length, data };
  return lfs === undefined ? object : { ...object, lfs };
}

/**
 * The content of a stored object. Throws when the row does not inflate to exactly its stated size or does not
 * hash to its oid: damaged bytes are an error, never an answer.
 */
export async function decodeObject(object: StoredGitObject): Promise<Buffer> {
  const options = {
    maxOutputLength: Math.max(object.sizeBytes, 1),
    finishFlush: constants.Z_SYNC_FLUSH, // size and hash are checked below; do not also wait for a trailer
  };
  const content =
    object.sizeBytes <= SYNC_LIMIT_BYTES
      ? inflateSync(object.data, options)
      : await inflateAsync(object.data, options);
  if (content.length !== object.sizeBytes || oidOf(object.kind, content) !== object.oid)
    throw new Error(`git object ${object.oid} is damaged in the database`);
  return content;
}

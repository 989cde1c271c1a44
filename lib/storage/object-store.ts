import type { Readable } from 'node:stream';
import type { Pieces } from './pieces.ts';

/** Half-open would be tidier, but HTTP ranges are inclusive at both ends and so is this. */
export interface ByteRange {
  /** First byte, 0-based. */
  start: number;
  /** Last byte, inclusive. */
  end: number;
}

export interface ObjectInfo {
  key: string;
  sizeBytes: number;
  lastModifiedMs: number;
}

export interface UploadedPart {
  partNumber: number;
  etag: string;
  /** Where parts grow: only so many of its bytes count, because no more were told durable. */
  sizeBytes?: number;
}

/** A part as the store has it. */
export interface StoredPart extends UploadedPart {
  sizeBytes: number;
}

export interface PutOptions {
  sizeBytes: number;
  signal?: AbortSignal;
  /** The chunks of the body are nobody's besides: the store may free each as soon as it is written. */
  mayFree?: boolean;
}

export interface PartOptions extends PutOptions {
  /** Where parts of any size will do: a body that ends before, after a byte at least, is kept as far as it came. */
  mayBeShort?: boolean;
  /**
   * Where parts grow (the local store): is told now and then how much of the part is durable already, one call at a time
   * and awaited. That much of it stays from then on, whatever becomes of the rest, and may be completed with this size.
   * When it throws, the part fails. It is never far behind: bytes that were not told wait for it.
   */
  onDurable?: (part: StoredPart) => Promise<void>;
}

export interface MultipartInfo {
  key: string;
  uploadId: string;
  /** When it was begun, or last written to where the store knows that. */
  lastModifiedMs: number;
}

/**
 * The port to where large bytes live. Keys are random and never reused (lib/storage/keys.ts), so no method
 * depends on conditional writes, and none trusts a checksum that a client sent. Adapters: local, s3; both pass
 * tests/storage/conformance.ts.
 */
export interface ObjectStore {
  readonly kind: 'local' | 's3';

  /** The least a part may have that is not the last. */
  readonly minPartBytes: number;

  /** Whether each writing of a part has an etag of its own: of MD5s somebody can make two parts that share one. */
  readonly hasUniqueEtags: boolean;

  /**
   * Stores `body` under `key`. On return the bytes are durable (local: fsynced and renamed; s3: acknowledged).
   * Throws and leaves nothing behind when the body ends early, exceeds `sizeBytes`, or `signal` aborts.
   */
  put(key: string, body: Readable | Uint8Array, options: PutOptions): Promise<void>;

  /** Streams the object or a range of it. Throws ObjectMissing when there is none. A stream that cannot deliver all its bytes ends in an error, never early. */
  get(key: string, options?: { range?: ByteRange; signal?: AbortSignal }): Promise<Readable>;

  /** As get, for who passes the bytes on at once: faster, and in memory that is used again. */
  pieces(key: string, options?: { range?: ByteRange; signal?: AbortSignal }): Promise<Pieces>;

  /**
   * Fills `target` with the object's bytes from `start` on, for who has memory of his own. Throws ObjectMissing, and
   * another error when there are fewer bytes; once it has settled nothing is written to `target` any more.
   */
  fill(key: string, start: number, target: Uint8Array, signal?: AbortSignal): Promise<void>;

  /** Size and age, or null when there is no such object. */
  head(key: string): Promise<ObjectInfo | null>;

  /** Deletes; a key that does not exist is not an error. */
  delete(keys: readonly string[]): Promise<void>;

  /** All objects under a prefix, in no particular order. */
  list(prefix: string): AsyncIterable<ObjectInfo>;

  /**
   * A URL with which a client can GET the object (or exactly `range` of it) without credentials until it
   * expires, or null when clients cannot reach this store and the hub must stream the bytes itself.
   */
  signGet(
    key: string,
    options: { expiresSeconds: number; range?: ByteRange; filename?: string; contentType?: string },
  ): Promise<string | null>;

  /** Starts a multipart upload; returns the store's upload id. */
  beginMultipart(key: string): Promise<string>;

  /** A URL for PUT of one part (only `host` is signed), or null: then parts go through the hub and putPart. */
  signPart(key: string, uploadId: string, partNumber: number, expiresSeconds: number): Promise<string | null>;

  /**
   * Stores one part (1-based, at most 10,000); a repeated part replaces the earlier one. Throws and leaves nothing of it
   * behind when the body is not as announced or `signal` aborts, but for what `onDurable` was told.
   */
  putPart(
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable | Uint8Array,
    options: PartOptions,
  ): Promise<StoredPart>;

  /** Assembles the parts under `key`; throws when a part is missing or its etag differs. Calling it again after success succeeds. */
  completeMultipart(key: string, uploadId: string, parts: readonly UploadedPart[]): Promise<void>;

  /** Gives up a multipart upload; an unknown id is not an error. */
  abortMultipart(key: string, uploadId: string): Promise<void>;

  /** All multipart uploads that were begun and neither completed nor given up, in no particular order. */
  listMultipart(): AsyncIterable<MultipartInfo>;

  /** Throws, naming what is wrong, unless the store can be written, read, ranged and deleted. */
  probe(): Promise<void>;

  /** Null when the store answers, else why not, in words for everybody; cheap. A store that is this machine's own has no such question. */
  whyNotReady?(): Promise<string | null>;

  /** Closes sockets. */
  close(): Promise<void>;
}

/** The object is not in the store. */
export class ObjectMissing extends Error {
  constructor(key: string) {
    super(`no object ${key}`);
    this.name = 'ObjectMissing';
  }
}

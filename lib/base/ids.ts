import { randomBytes } from 'node:crypto';

/** Branded strings: lower-case hex, so that one kind of id cannot be passed for another. */
declare const brand: unique symbol;
type Brand<T, B extends string> = T & { readonly [brand]: B };

/** SHA-1 of a git object, 40 hex. */
export type Oid = Brand<string, 'Oid'>;
/** SHA-256 of a file's bytes, 64 hex. */
export type Sha256 = Brand<string, 'Sha256'>;
/** A Xet hash in its string form (each 8-byte group reversed), 64 hex. */
export type XetHash = Brand<string, 'XetHash'>;
/** Primary key of a repo; never shown on the wire. */
export type RepoId = Brand<number, 'RepoId'>;

const HEX40 = /^[0-9a-f]{40}$/;
const HEX64 = /^[0-9a-f]{64}$/;

/** Parses 40 lower-case hex digits, or undefined. */
export function parseOid(text: unknown): Oid | undefined {
  return typeof text === 'string' && HEX40.test(text) ? (text as Oid) : undefined;
}

/** Parses 64 lower-case hex digits, or undefined. */
export function parseSha256(text: unknown): Sha256 | undefined {
  return typeof text === 'string' && HEX64.test(text) ? (text as Sha256) : undefined;
}

/** Parses 64 lower-case hex digits, or undefined. */
export function parseXetHash(text: unknown): XetHash | undefined {
  return typeof text === 'string' && HEX64.test(text) ? (text as XetHash) : undefined;
}

/** bytea column -> hex id. */
export function hexOf<T extends Oid | Sha256>(bytes: Uint8Array): T {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex') as T;
}

/** hex id -> bytea parameter. */
export function bytesOf(hex: Oid | Sha256): Buffer {
  return Buffer.from(hex, 'hex');
}

/** A fresh 24-hex id as the Hub's clients expect: 4 bytes of time, 8 random. */
export function newId(nowMs: number = Date.now()): string {
  const id = Buffer.alloc(12);
  id.writeUInt32BE(Math.floor(nowMs / 1000) >>> 0, 0);
  randomBytes(8).copy(id, 4);
  return id.toString('hex');
}

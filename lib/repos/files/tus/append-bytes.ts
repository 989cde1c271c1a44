import { Readable } from 'node:stream';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { RepoRef } from '../../types.ts';
import { BodyReader, givesAway, inBuffers } from '../body-reader.ts';
import { requireUpload } from '../require-upload.ts';
import type { TusUpload } from './db.ts';
import { type Hold, holdUpload } from './hold-upload.ts';
import { PieceWriter } from './piece-writer.ts';

/** Bodies that do not say how long they are pass through buffers of this size, at most three at a time. */
const BUFFER_BYTES = 8 * 2 ** 20;

export interface Incoming {
  readonly stream: Readable;
  /** Content-Length; null when the body is chunked. */
  readonly lengthBytes: number | null;
}

/**
 * Adds the bytes of a body to an upload, from `offset` on, and returns the offset that is durable then. Bytes stream
 * into the store piece by piece, hashed on the way; a piece, or so much of one that grows, counts when the store has it
 * and a row says so. Dying at any line loses at most the two pieces that were on their way, on the local store 17 MiB,
 * and a cut connection one piece, or nothing that arrived where pieces grow. The caller owns the upload. Throws
 * forbidden (the right was taken away), not_found, gone, locked, offset_conflict, too_large, invalid_input (the body
 * broke off: what the store could keep stays).
 */
export async function appendBytes(
  ctx: Ctx,
  ref: RepoRef,
  { id, createPr, revision }: TusUpload,
  offset: number,
  body: Incoming,
): Promise<number> {
  await requireUpload(ctx, ref, { createPr, revision });
  return holdUpload(ctx, id, async (hold) => {
    if (hold === null) throw hubError('offset_conflict', 'this upload is complete: it takes no more bytes');
    const { upload } = hold;
    if (offset !== upload.receivedBytes)
      throw hubError('offset_conflict', `this upload is at ${upload.receivedBytes}, not at ${offset}`);
    if ((body.lengthBytes ?? 0) > upload.sizeBytes - offset) throw tooLong(upload);
    return body.lengthBytes === null
      ? writeUnknown(ctx, hold, body.stream)
      : writeKnown(ctx, hold, body.stream, body.lengthBytes);
  });
}

async function writeKnown(ctx: Ctx, hold: Hold, body: Readable, lengthBytes: number): Promise<number> {
  const writer = new PieceWriter(ctx, hold, givesAway(body));
  const reader = new BodyReader(body);
  try {
    await writer.write(lengthBytes, (want) => reader.take(want));
    await writer.settle();
  } finally {
    reader.end();
  }
  return writer.receivedBytes;
}

async function writeUnknown(ctx: Ctx, hold: Hold, body: Readable): Promise<number> {
  const writer = new PieceWriter(ctx, hold, false);
  const leftBytes = () => hold.upload.sizeBytes - writer.receivedBytes;
  // One byte more than is left is asked for, to see a body that is too long before any of its last piece counts.
  for await (const bytes of inBuffers(body, () => Math.min(BUFFER_BYTES, leftBytes() + 1))) {
    if (bytes.length > leftBytes()) throw tooLong(hold.upload);
    let used = 0;
    await writer.write(bytes.length, ({ sizeBytes, see, done = () => {} }) => {
      const piece = bytes.subarray(used, used + sizeBytes);
      used += sizeBytes;
      see(piece);
      done(sizeBytes);
      return Readable.from([piece], { objectMode: false });
    });
  }
  await writer.settle();
  return writer.receivedBytes;
}

function tooLong({ sizeBytes }: TusUpload) {
  return hubError('too_large', `the body is longer than what this upload has left of its ${sizeBytes} bytes`);
}

import type { Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import type { RepoRef } from '../../types.ts';
import { requireUpload } from '../require-upload.ts';
import { BodyReader } from './body-reader.ts';
import type { TusUpload } from './db.ts';
import { type Hold, holdUpload } from './hold-upload.ts';
import { type DurablePiece, recordMultipart, recordPiece, UPLOAD_LIFETIME_MS } from './lease-db.ts';
import { keepHash, liveHash } from './live-hashes.ts';
import { planPiece } from './plan-piece.ts';

/** The one buffer of an upload, for bodies that do not say how long they are. */
const BUFFER_BYTES = 8 * 2 ** 20;

export interface Incoming {
  readonly stream: Readable;
  /** Content-Length; null when the body is chunked. */
  readonly lengthBytes: number | null;
}

/** Where a piece's bytes come from: the body, or the buffer of a body of unknown length. */
type Source = (sizeBytes: number, see: (chunk: Buffer) => void) => AsyncGenerator<Buffer>;

/** Whoever was taken over records nothing. */
const takenOver = () => hubError('locked', 'another request took over this upload');

/**
 * Adds the bytes of a body to an upload, from `offset` on, and returns the offset that is durable then. Bytes stream
 * into the store piece by piece, hashed on the way; a piece counts when the store has it and a row says so, so that
 * dying at any line loses at most the piece that was on its way. The caller owns the upload. Throws forbidden (the
 * right was taken away), not_found, gone, locked, offset_conflict, too_large, invalid_input (the body broke off: what
 * was whole stays).
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
    const left = upload.sizeBytes - offset;
    if ((body.lengthBytes ?? 0) > left) throw tooLong(upload);
    const reader = new BodyReader(body.stream);
    const writer = new PieceWriter(ctx, hold);
    if (body.lengthBytes !== null)
      await writer.write(body.lengthBytes, (sizeBytes, see) => reader.take(sizeBytes, see));
    else await writeUnknown(writer, reader, upload);
    return writer.at.receivedBytes;
  });
}

async function writeUnknown(writer: PieceWriter, reader: BodyReader, upload: TusUpload): Promise<void> {
  for (;;) {
    const left = upload.sizeBytes - writer.at.receivedBytes;
    const bytes = await reader.fill(Math.min(BUFFER_BYTES, left + 1)); // one more, to see a body that is too long
    if (bytes.length > left) throw tooLong(upload);
    if (bytes.length === 0) return;
    let used = 0;
    await writer.write(bytes.length, async function* (sizeBytes, see) {
      const piece = bytes.subarray(used, used + sizeBytes);
      used += sizeBytes;
      see(piece);
      yield piece;
    });
  }
}

function tooLong({ sizeBytes }: TusUpload) {
  return hubError('too_large', `the body is longer than what this upload has left of its ${sizeBytes} bytes`);
}

/** Writes pieces one after the other and keeps the books of where the upload stands. */
class PieceWriter {
  readonly #ctx: Ctx;
  readonly #hold: Hold;
  readonly #signal: AbortSignal;
  #hash: Hash | null;
  at: TusUpload;

  constructor(ctx: Ctx, hold: Hold) {
    this.#ctx = ctx;
    this.#hold = hold;
    this.#signal = AbortSignal.any([ctx.signal, hold.signal]);
    this.at = hold.upload;
    this.#hash = liveHash(hold.upload.id, hold.upload.receivedBytes);
  }

  /** Stores the next `lengthBytes` of the source. */
  async write(lengthBytes: number, source: Source): Promise<void> {
    const { id } = this.at;
    const see = (chunk: Buffer) => {
      this.#hold.progress();
      this.#hash?.update(chunk);
    };
    for (let left = lengthBytes; left > 0; ) {
      const plan = planPiece(this.at, left);
      const { tailKey, receivedBytes } = this.at;
      await failpoint('tus.before-piece');
      const stored = await this.#store(plan, () => source(plan.bodyBytes, see));
      await failpoint('tus.piece-stored');
      const expiresAt = new Date(this.#ctx.clock.now() + UPLOAD_LIFETIME_MS);
      const piece: DurablePiece = { ...stored, receivedBytes: receivedBytes + plan.bodyBytes, expiresAt };
      if (!(await recordPiece(this.#ctx.db, this.at, piece))) {
        if (stored.kind !== 'part') await this.#ctx.store.delete([stored.key]);
        throw takenOver();
      }
      await failpoint('tus.piece-recorded');
      this.at = after(this.at, piece);
      if (this.#hash) keepHash(id, piece.receivedBytes, this.#hash);
      if (tailKey !== null) await this.#ctx.store.delete([tailKey]);
      left -= plan.bodyBytes;
    }
  }

  async #store(
    plan: { kind: DurablePiece['kind']; sizeBytes: number },
    body: () => AsyncGenerator<Buffer>,
  ): Promise<
    | { kind: 'whole'; key: string }
    | { kind: 'tail'; key: string; sizeBytes: number }
    | { kind: 'part'; part: { partNumber: number; etag: string }; sizeBytes: number }
  > {
    const { store } = this.#ctx;
    const { kind, sizeBytes } = plan;
    const options = { sizeBytes, signal: this.#signal };
    const bytes = async () => Readable.from(this.#withTail(body()));
    if (kind !== 'part') {
      // A key of its own for each attempt: who was taken over overwrites nothing.
      const key = newObjectKey(kind === 'whole' ? 'blob' : 'staging');
      await store.put(key, await bytes(), options);
      return { kind, key, sizeBytes };
    }
    const { key, storageUploadId } = await this.#multipart();
    const part = await store.putPart(key, storageUploadId, this.at.nextPart, await bytes(), options);
    return { kind, part, sizeBytes };
  }

  async *#withTail(body: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
    const { tailKey } = this.at;
    if (tailKey !== null) yield* await this.#ctx.store.get(tailKey, { signal: this.#signal });
    yield* body;
  }

  async #multipart(): Promise<{ key: string; storageUploadId: string }> {
    const { key, storageUploadId } = this.at;
    if (key !== null && storageUploadId !== null) return { key, storageUploadId };
    const newKey = newObjectKey('blob');
    const begun = { key: newKey, storageUploadId: await this.#ctx.store.beginMultipart(newKey) };
    if (!(await recordMultipart(this.#ctx.db, this.at, begun))) {
      await this.#ctx.store.abortMultipart(begun.key, begun.storageUploadId);
      throw takenOver();
    }
    this.at = { ...this.at, ...begun };
    return begun;
  }
}

/** Where the upload stands with one more piece. */
function after(at: TusUpload, piece: DurablePiece): TusUpload {
  const { receivedBytes, expiresAt } = piece;
  return {
    ...at,
    receivedBytes,
    expiresAt,
    key: piece.kind === 'whole' ? piece.key : at.key,
    tailKey: piece.kind === 'tail' ? piece.key : null,
    tailBytes: piece.kind === 'tail' ? piece.sizeBytes : 0,
    nextPart: piece.kind === 'part' ? piece.part.partNumber + 1 : at.nextPart,
  };
}

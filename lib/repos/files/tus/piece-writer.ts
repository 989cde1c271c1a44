import type { Hash } from 'node:crypto';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import type { PartOptions, StoredPart } from '#lib/storage/object-store.ts';
import type { Want } from '../body-reader.ts';
import { keepHash, liveHash } from '../live-hashes.ts';
import type { TusUpload } from './db.ts';
import type { Hold } from './hold-upload.ts';
import { recordMultipart, recordPiece, type StoredPiece, UPLOAD_LIFETIME_MS } from './lease-db.ts';
import { type Mark, Marks } from './marks.ts';
import { type PiecePlan, planPiece } from './plan-piece.ts';

/** Gives the next bytes of a body as a stream. */
export type Source = (want: Want) => Readable;

/** Whoever was taken over records nothing. */
const takenOver = () => hubError('locked', 'another request took over this upload');

/**
 * Writes the pieces of an upload into the store and keeps the books. While the store makes one part durable, the next
 * one streams already; they are recorded in their order, so that what a row says is always a beginning of the file. A
 * part that grows is recorded again and again as it does.
 */
export class PieceWriter {
  readonly #ctx: Ctx;
  readonly #hold: Hold;
  readonly #mayFree: boolean;
  #hash: Hash | null;
  /** Where the upload stands when all that was begun is recorded. */
  #planned: TusUpload;
  /** Whether all that was begun is recorded. */
  #recorded: Promise<boolean> = Promise.resolve(true);
  #failure: unknown;

  /** `mayFree`: the chunks of the sources are nobody's besides. */
  constructor(ctx: Ctx, hold: Hold, mayFree: boolean) {
    this.#mayFree = mayFree;
    this.#ctx = ctx;
    this.#hold = hold;
    this.#planned = hold.upload;
    this.#hash = liveHash(hold.upload.id, hold.upload.receivedBytes)?.hash ?? null;
  }

  get receivedBytes(): number {
    return this.#planned.receivedBytes;
  }

  /** Stores the next `lengthBytes` of the source; they are durable when `settle` returned. */
  async write(lengthBytes: number, source: Source): Promise<void> {
    try {
      for (let left = lengthBytes; left > 0 && this.#failure === undefined; ) {
        const plan = planPiece(this.#planned, left, this.#ctx.store.minPartBytes);
        // Only one part may still be on its way, and none when the bytes of a tail are moved.
        if (plan.kind !== 'part' || this.#planned.tailBytes > 0) await this.settle();
        const before = this.#recorded;
        await this.#begin(plan, source, before);
        await before;
        left -= plan.bodyBytes;
      }
    } catch (error) {
      this.#failure ??= error;
    }
    if (this.#failure !== undefined) await this.settle();
  }

  /** Waits until all that was begun is recorded. Throws the first failure. */
  async settle(): Promise<void> {
    await this.#recorded;
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Begins a piece and returns when its bytes have left the body. */
  async #begin(plan: PiecePlan, source: Source, before: Promise<boolean>): Promise<void> {
    await failpoint('upload.mid');
    const from = this.#planned;
    const target = plan.kind === 'part' ? await this.#multipart() : null;
    const { bodyBytes: sizeBytes, mayBeShort } = plan;
    const marks = mayBeShort ? new Marks(from.receivedBytes) : null;
    let { receivedBytes } = from;
    let end: Mark = { receivedBytes, hash: null };
    const see = (chunk: Buffer) => {
      this.#hold.progress();
      this.#hash?.update(chunk);
      receivedBytes += chunk.length;
      marks?.pass(receivedBytes, this.#hash);
    };
    const { promise: leftBody, resolve } = Promise.withResolvers<void>();
    const done = (_bytes: number, brokenOff?: Error) => {
      end = { receivedBytes, hash: this.#hash?.copy() ?? null };
      this.#failure ??= brokenOff;
      resolve();
    };
    const body = this.#withTail(from.tailKey, source({ sizeBytes, mayBeShort, see, done }));
    const partStart = from.receivedBytes - from.tailBytes;
    const onDurable = async (part: StoredPart) => {
      const mark = marks?.takeWithin(partStart + part.sizeBytes);
      if (mark === undefined || !(await before)) return;
      await this.#record(from, { kind: 'part', part, sizeBytes: mark.receivedBytes - partStart }, mark);
    };
    const stored = this.#store(plan, from.nextPart, target, body, marks ? { onDurable } : {});
    this.#planned = { ...after(from, plan), ...target };
    this.#recorded = this.#inOrder(before, stored, (piece) => this.#record(from, piece, end));
    await Promise.race([leftBody, this.#recorded]);
  }

  /** Records what was stored when all before it is recorded: a piece that fails does not undo the one before it. */
  async #inOrder(
    before: Promise<boolean>,
    stored: Promise<StoredPiece>,
    record: (piece: StoredPiece) => Promise<void>,
  ): Promise<boolean> {
    try {
      const [piece, isNext] = await Promise.all([stored, before]);
      if (isNext) await record(piece);
      return isNext;
    } catch (error) {
      this.#failure ??= error;
      await before;
      return false;
    }
  }

  async #record(from: TusUpload, piece: StoredPiece, { receivedBytes, hash }: Mark) {
    await failpoint('tus.piece-stored');
    const { db, store, clock } = this.#ctx;
    const expiresAt = new Date(clock.now() + UPLOAD_LIFETIME_MS);
    if (!(await recordPiece(db, from, { ...piece, receivedBytes, expiresAt }))) {
      if (piece.kind !== 'part') await store.delete([piece.key]);
      throw takenOver();
    }
    await failpoint('tus.piece-recorded');
    if (piece.kind === 'tail') this.#planned = { ...this.#planned, tailKey: piece.key };
    if (hash) keepHash(from.id, receivedBytes, { hash, etags: [] });
    if (from.tailKey !== null) await store.delete([from.tailKey]);
  }

  async #store(
    { kind, sizeBytes, mayBeShort }: PiecePlan,
    partNumber: number,
    target: Target | null,
    body: Readable,
    growing: Pick<PartOptions, 'onDurable'>,
  ): Promise<StoredPiece> {
    const { store } = this.#ctx;
    const options = { sizeBytes, signal: this.#hold.signal, mayFree: this.#mayFree };
    if (target !== null) {
      const part = await store.putPart(target.key, target.storageUploadId, partNumber, body, {
        ...options,
        ...growing,
        mayBeShort,
      });
      return { kind: 'part', part, sizeBytes: part.sizeBytes };
    }
    // A key of its own for each attempt: who was taken over overwrites nothing.
    const key = newObjectKey(kind === 'whole' ? 'blob' : 'staging');
    await store.put(key, body, options);
    return kind === 'whole' ? { kind, key } : { kind: 'tail', key, sizeBytes };
  }

  /** What waits in the tail comes before the body. */
  #withTail(tailKey: string | null, body: Readable): Readable {
    if (tailKey === null) return body;
    const both = new PassThrough();
    const join = async () => {
      await pipeline(await this.#ctx.store.get(tailKey), both, { end: false });
      await pipeline(body, both);
    };
    join().catch((error) => both.destroy(error));
    return both;
  }

  async #multipart(): Promise<Target> {
    const { key, storageUploadId } = this.#planned;
    if (key !== null && storageUploadId !== null) return { key, storageUploadId };
    const newKey = newObjectKey('blob');
    const begun = { key: newKey, storageUploadId: await this.#ctx.store.beginMultipart(newKey) };
    if (await recordMultipart(this.#ctx.db, this.#planned, begun)) return begun;
    await this.#ctx.store.abortMultipart(begun.key, begun.storageUploadId);
    throw takenOver();
  }
}

interface Target {
  readonly key: string;
  readonly storageUploadId: string;
}

/** Where the upload will stand with one more piece. */
function after(from: TusUpload, plan: PiecePlan): TusUpload {
  return {
    ...from,
    receivedBytes: from.receivedBytes + plan.bodyBytes,
    tailKey: null,
    tailBytes: plan.kind === 'tail' ? plan.sizeBytes : 0,
    nextPart: plan.kind === 'part' ? from.nextPart + 1 : from.nextPart,
  };
}

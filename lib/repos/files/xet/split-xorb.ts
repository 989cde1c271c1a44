import { MAX_RECORD_BYTES, RECORD_HEADER_BYTES, readRecordHeader } from './chunk-records.ts';
import { XetInvalid } from './invalid.ts';
import { MAX_XORB_CHUNKS, MAX_XORB_FOOTER_BYTES, MAX_XORB_RAW_BYTES, type RunOrigin } from './xorb.ts';

/** Whole chunk records of an uploaded xorb in a buffer that nothing else uses. */
export interface XorbPiece extends RunOrigin {
  readonly bytes: Buffer;
}

const PIECE_BYTES = 1024 * 1024;
const FOOTER_TAG = Buffer.from('XETBLOB');
/** What a footer is stored as (verified-xorb.ts); no chunk begins so. */
const BLANK_TAG = Buffer.alloc(FOOTER_TAG.length);

/**
 * Cuts an uploaded xorb, as it arrives, into copies of about 1 MiB that end at chunk boundaries, checking headers and
 * limits on the way. Throws XetInvalid. Buffers given back are used again.
 */
export class XorbSplitter {
  readonly #free: ArrayBuffer[] = [];
  readonly #footerTag: Buffer;
  #piece = this.#newPiece();
  #filled = 0;
  /** End of the last whole record in #piece. */
  #whole = 0;
  #chunks = 0;
  #raw = 0;
  #origin: RunOrigin = { storedStart: 0, rawStart: 0 };
  #footerBytes = 0;

  /** `isStored`: the xorb comes from our store, where a footer is zeros. */
  constructor({ isStored = false }: { isStored?: boolean } = {}) {
    this.#footerTag = isStored ? BLANK_TAG : FOOTER_TAG;
  }

  /** How many bytes so far belong to the footer that old clients append. */
  get footerBytes(): number {
    return this.#footerBytes;
  }

  /** Takes the next part of the body; returns the pieces that it completed. */
  push(part: Buffer): XorbPiece[] {
    const pieces: XorbPiece[] = [];
    for (let at = 0; at < part.length; ) {
      if (this.#footerBytes > 0) {
        this.#addFooter(part.length - at);
        break;
      }
      const taken = part.copy(this.#piece, this.#filled, at);
      at += taken;
      this.#filled += taken;
      this.#advance();
      if (this.#whole >= PIECE_BYTES) pieces.push(this.#take());
    }
    return pieces;
  }

  /** The last piece, when the body has ended. */
  finish(): XorbPiece[] {
    if (this.#filled !== this.#whole) throw new XetInvalid('the xorb is cut short inside a chunk');
    if (this.#chunks === 0) throw new XetInvalid('the xorb holds no chunk');
    return this.#whole > 0 ? [this.#take()] : [];
  }

  /** Takes the buffer of a piece that is no longer needed. */
  giveBack(buffer: ArrayBuffer): void {
    this.#free.push(buffer);
  }

  #newPiece(): Buffer {
    return Buffer.from(this.#free.pop() ?? new ArrayBuffer(PIECE_BYTES + MAX_RECORD_BYTES));
  }

  #advance(): void {
    while (this.#filled - this.#whole >= RECORD_HEADER_BYTES) {
      const tag = this.#piece.subarray(this.#whole, this.#whole + FOOTER_TAG.length);
      if (this.#chunks > 0 && tag.equals(this.#footerTag)) {
        this.#addFooter(this.#filled - this.#whole);
        this.#filled = this.#whole;
        return;
      }
      const record = readRecordHeader(this.#piece, this.#whole);
      if (record.dataEnd > this.#filled) return;
      this.#whole = record.dataEnd;
      this.#raw += record.rawBytes;
      if (++this.#chunks > MAX_XORB_CHUNKS)
        throw new XetInvalid(`a xorb holds at most ${MAX_XORB_CHUNKS} chunks`);
      if (this.#raw > MAX_XORB_RAW_BYTES)
        throw new XetInvalid(`a xorb holds at most ${MAX_XORB_RAW_BYTES} uncompressed bytes`);
    }
  }

  #addFooter(bytes: number): void {
    this.#footerBytes += bytes;
    if (this.#footerBytes > MAX_XORB_FOOTER_BYTES) throw new XetInvalid('the xorb footer is too long');
  }

  #take(): XorbPiece {
    const piece = { bytes: this.#piece.subarray(0, this.#whole), ...this.#origin };
    const next = this.#newPiece();
    const rest = this.#piece.copy(next, 0, this.#whole, this.#filled);
    this.#origin = { storedStart: this.#origin.storedStart + this.#whole, rawStart: this.#raw };
    this.#piece = next;
    this.#filled = rest;
    this.#whole = 0;
    return piece;
  }
}

import { MAX_RECORD_BYTES, RECORD_HEADER_BYTES, readRecordHeader } from './chunk-records.ts';
import { XetInvalid } from './invalid.ts';
import { MAX_XORB_CHUNKS, MAX_XORB_FOOTER_BYTES, MAX_XORB_RAW_BYTES, type RunOrigin } from './xorb.ts';

/** A part of an uploaded xorb in a buffer of its own: whole chunk records, or the blanked footer. */
export interface XorbPiece extends RunOrigin {
  readonly kind: 'records' | 'footer';
  readonly bytes: Buffer;
}

const PIECE_BYTES = 2 * 1024 * 1024;
const FOOTER_TAG = Buffer.from('XETBLOB');

/** Collects bytes until whole records fill a piece. */
class Splitter {
  #piece = Buffer.allocUnsafeSlow(PIECE_BYTES + MAX_RECORD_BYTES);
  #filled = 0;
  /** End of the last whole record in #piece. */
  #whole = 0;
  #chunks = 0;
  #origin: RunOrigin = { storedStart: 0, rawStart: 0 };
  #raw = 0;
  #footerBytes = 0;

  /** Takes as much of `bytes` as fits; returns how much. */
  fill(bytes: Buffer): number {
    if (this.#footerBytes > 0) {
      this.#addFooter(bytes.length);
      return bytes.length;
    }
    const taken = bytes.copy(this.#piece, this.#filled);
    this.#filled += taken;
    this.#advance();
    return taken;
  }

  #advance(): void {
    while (this.#filled - this.#whole >= RECORD_HEADER_BYTES) {
      const tag = this.#piece.subarray(this.#whole, this.#whole + FOOTER_TAG.length);
      if (this.#chunks > 0 && tag.equals(FOOTER_TAG)) {
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

  get isFull(): boolean {
    return this.#whole >= PIECE_BYTES;
  }

  /** Hands out the whole records collected so far. */
  take(): XorbPiece {
    const bytes = this.#piece.subarray(0, this.#whole);
    const piece: XorbPiece = { kind: 'records', bytes, ...this.#origin };
    const next = Buffer.allocUnsafeSlow(PIECE_BYTES + MAX_RECORD_BYTES);
    const rest = this.#piece.copy(next, 0, this.#whole, this.#filled);
    this.#origin = { storedStart: this.#origin.storedStart + this.#whole, rawStart: this.#raw };
    this.#piece = next;
    this.#filled = rest;
    this.#whole = 0;
    return piece;
  }

  /** What remains when the body has ended. */
  finish(): XorbPiece[] {
    if (this.#filled !== this.#whole) throw new XetInvalid('the xorb is cut short inside a chunk');
    if (this.#chunks === 0) throw new XetInvalid('the xorb holds no chunk');
    const pieces = this.#whole > 0 ? [this.take()] : [];
    if (this.#footerBytes > 0)
      pieces.push({ kind: 'footer', bytes: Buffer.alloc(this.#footerBytes), ...this.#origin });
    return pieces;
  }
}

/**
 * Cuts an uploaded xorb into pieces of about 2 MiB at chunk boundaries, checking headers and limits on the way. The
 * footer of old clients comes out as zeros: it would give chunk hashes away, and the length is promised already.
 * Throws XetInvalid. Holds two pieces at most.
 */
export async function* splitXorb(body: AsyncIterable<Buffer>): AsyncGenerator<XorbPiece> {
  const splitter = new Splitter();
  for await (const part of body) {
    for (let at = 0; at < part.length; ) {
      at += splitter.fill(part.subarray(at));
      if (splitter.isFull) yield splitter.take();
    }
  }
  yield* splitter.finish();
}

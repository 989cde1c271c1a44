import { hubError } from '#lib/base/errors.ts';

/** One pkt-line: its payload, or one of the three marks without payload (gitprotocol-common(5), gitprotocol-v2(5)). */
export type Pkt = Buffer | 'flush' | 'delimiter' | 'end';

/** The largest pkt-line, its length included. */
const MAX_LINE = 65_520;
/** Most bytes that one pkt-line carries. */
export const MAX_PAYLOAD: number = MAX_LINE - 4;
const MARKS: Readonly<Record<number, Pkt>> = { 0: 'flush', 1: 'delimiter', 2: 'end' };

export const FLUSH: Buffer = Buffer.from('0000');

/** A payload with its length in front. Throws RangeError when it is larger than a pkt-line may be. */
export function pktLine(payload: string | Buffer): Buffer {
  const bytes = Buffer.from(payload as string);
  if (bytes.length > MAX_PAYLOAD) throw new RangeError(`a pkt-line of ${bytes.length} bytes`);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, '0')), bytes]);
}

/** Payload of one line of side-band-64k, without its band. */
const BAND_BYTES = 65_515;

/** Bytes on one channel of side-band-64k, not copied: 1 is data, 2 is shown to people, 3 is the end (gitprotocol-pack(5)). */
export function onBand(band: 1 | 2 | 3, bytes: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BAND_BYTES) {
    const part = bytes.subarray(at, at + BAND_BYTES);
    parts.push(Buffer.from(`${(part.length + 5).toString(16).padStart(4, '0')}${String.fromCharCode(band)}`));
    parts.push(part);
  }
  return parts;
}

const malformed = (what: string) => hubError('invalid_input', `malformed request: ${what}`);

/** Reads pkt-lines from a stream, and then what follows them as it is. Throws invalid_input for what is none. */
export class PktReader {
  readonly #source: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  #left: number;

  /** `maxBytes`: pkt-lines beyond this together are too_large. */
  constructor(source: AsyncIterable<Buffer>, maxBytes: number) {
    this.#source = source[Symbol.asyncIterator]();
    this.#left = maxBytes;
  }

  async #fill(length: number): Promise<boolean> {
    const parts = [this.#rest];
    let have = this.#rest.length;
    while (have < length) {
      const { value, done } = await this.#source.next();
      if (done) break;
      parts.push(value);
      have += value.length;
    }
    this.#rest = Buffer.concat(parts);
    return have >= length;
  }

  /** The next line, or null where the stream ends between two lines. */
  async next(): Promise<Pkt | null> {
    if (!(await this.#fill(4))) {
      if (this.#rest.length === 0) return null;
      throw malformed('it ends within the length of a line');
    }
    const digits = this.#rest.toString('latin1', 0, 4);
    if (!/^[0-9a-f]{4}$/i.test(digits)) throw malformed('a line begins without its length');
    const length = Number.parseInt(digits, 16);
    const size = Math.max(length, 4);
    if (length === 3 || length > MAX_LINE) throw malformed(`no line has the length ${digits}`);
    this.#left -= size;
    if (this.#left < 0) throw hubError('too_large', 'the request has too many lines');
    if (!(await this.#fill(size))) throw malformed('a line is shorter than its length says');
    const payload = this.#rest.subarray(4, size);
    this.#rest = this.#rest.subarray(size);
    return MARKS[length] ?? payload;
  }

  /** Lines up to the next flush, which is eaten. Throws invalid_input when there is none, or another mark comes first. */
  async untilFlush(): Promise<Buffer[]> {
    const lines: Buffer[] = [];
    for (;;) {
      const pkt = await this.next();
      if (pkt === 'flush') return lines;
      if (pkt === null) throw malformed('it ends without a flush');
      if (typeof pkt === 'string') throw malformed('a mark where a line was expected');
      lines.push(pkt);
    }
  }

  /** Everything after the lines read so far. */
  async *remainder(): AsyncGenerator<Buffer> {
    const first = this.#rest;
    this.#rest = Buffer.alloc(0);
    if (first.length > 0) yield first;
    for (;;) {
      const { value, done } = await this.#source.next();
      if (done) return;
      yield value;
    }
  }
}

/** A line as text, without the newline at its end. */
export function textOf(line: Buffer): string {
  const text = line.toString('utf8');
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

const OID_BYTES = 20;
const FIRST_SLOTS = 1024;
/** Of the slots, as many may be taken before the table is doubled. */
const FILL = 0.6;

/**
 * A set of git object ids in about 35 bytes each, where a Set of strings needs 150: open addressing over one buffer. An
 * id is its own hash. The id of zeros, which names nothing, cannot be held.
 */
export class OidSet {
  #slots = FIRST_SLOTS;
  #bytes = Buffer.alloc(FIRST_SLOTS * OID_BYTES);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds the id that begins at `at` of `source`; false when it was there. */
  add(source: Buffer, at = 0): boolean {
    const place = this.#find(source, at);
    if (place < 0) return false;
    source.copy(this.#bytes, place, at, at + OID_BYTES);
    this.#size++;
    if (this.#size > this.#slots * FILL) this.#grow();
    return true;
  }

  has(source: Buffer, at = 0): boolean {
    return this.#find(source, at) < 0;
  }

  /** All ids, `count` at a time, as bytea parameters. */
  *batches(count: number): Generator<Buffer[]> {
    let batch: Buffer[] = [];
    for (let at = 0; at < this.#bytes.length; at += OID_BYTES) {
      if (isEmpty(this.#bytes, at)) continue;
      batch.push(this.#bytes.subarray(at, at + OID_BYTES));
      if (batch.length < count) continue;
      yield batch;
      batch = [];
    }
    if (batch.length > 0) yield batch;
  }

  /** Where the id could be put, or -1 when it is there already. */
  #find(source: Buffer, at: number): number {
    const bytes = this.#bytes;
    let slot = source.readUInt32LE(at) % this.#slots;
    for (;;) {
      const place = slot * OID_BYTES;
      if (isSame(bytes, place, source, at)) return -1;
      if (isEmpty(bytes, place)) return place;
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    }
  }

  #grow(): void {
    const old = this.#bytes;
    this.#slots *= 2;
    this.#bytes = Buffer.alloc(this.#slots * OID_BYTES);
    for (let at = 0; at < old.length; at += OID_BYTES)
      if (!isEmpty(old, at)) old.copy(this.#bytes, this.#find(old, at), at, at + OID_BYTES);
  }
}

/** Five words instead of one call into native code: this runs once per line of every tree. */
const isSame = (a: Buffer, at: number, b: Buffer, from: number) =>
  a.readInt32LE(at) === b.readInt32LE(from) &&
  a.readInt32LE(at + 4) === b.readInt32LE(from + 4) &&
  a.readInt32LE(at + 8) === b.readInt32LE(from + 8) &&
  a.readInt32LE(at + 12) === b.readInt32LE(from + 12) &&
  a.readInt32LE(at + 16) === b.readInt32LE(from + 16);

const isEmpty = (bytes: Buffer, at: number) =>
  bytes.readUInt32LE(at) === 0 &&
  bytes.readUInt32LE(at + 4) === 0 &&
  bytes.readUInt32LE(at + 8) === 0 &&
  bytes.readUInt32LE(at + 12) === 0 &&
  bytes.readUInt32LE(at + 16) === 0;

/** Ids one after the other in one buffer that grows: a list in 20 bytes an id. */
export class OidList {
  #bytes = Buffer.allocUnsafe(FIRST_SLOTS * OID_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(source: Buffer, at = 0): void {
    const end = this.#length * OID_BYTES;
    if (end === this.#bytes.length) this.#bytes = Buffer.concat([this.#bytes, Buffer.allocUnsafe(end)]);
    source.copy(this.#bytes, end, at, at + OID_BYTES);
    this.#length++;
  }

  /** The ids from `start` on, at most `count`, as bytea parameters. */
  slice(start: number, count: number): Buffer[] {
    const stop = Math.min(this.#length, start + count);
    return Array.from({ length: Math.max(0, stop - start) }, (_, i) =>
      this.#bytes.subarray((start + i) * OID_BYTES, (start + i + 1) * OID_BYTES),
    );
  }
}

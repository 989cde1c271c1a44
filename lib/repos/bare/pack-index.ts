import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { PackBatch } from './pack-entry.ts';

const OID_BYTES = 20;
const LARGE_OFFSET = 0x8000_0000;

/** The index of a pack, version 2 (gitformat-pack(5)), gathered while the pack is written. */
export class PackIndex {
  readonly #oids: Buffer[] = [];
  readonly #offsets: number[] = [];
  readonly #crcs: number[] = [];

  get count(): number {
    return this.#offsets.length;
  }

  /** Takes in entries that were written at `offset`; they come in the order of their oids. */
  add({ oids, ends, bytes }: PackBatch, offset: number): void {
    this.#oids.push(oids);
    let start = 0;
    for (const end of ends) {
      this.#offsets.push(offset + start);
      this.#crcs.push(crc32(bytes.subarray(start, end)));
      start = end;
    }
  }

  /** `packSum`: the checksum at the end of the pack. */
  encode(packSum: Buffer): Buffer {
    const oids = Buffer.concat(this.#oids);
    const fanout = Buffer.alloc(256 * 4);
    const crcs = Buffer.alloc(this.count * 4);
    const offsets = Buffer.alloc(this.count * 4);
    const counts = new Uint32Array(256);
    const large: number[] = [];
    for (const [index, offset] of this.#offsets.entries()) {
      const first = oids[index * OID_BYTES] as number;
      counts[first] = (counts[first] as number) + 1;
      crcs.writeUInt32BE(this.#crcs[index] as number, index * 4);
      offsets.writeUInt32BE(
        offset < LARGE_OFFSET ? offset : LARGE_OFFSET + large.push(offset) - 1,
        index * 4,
      );
    }
    let total = 0;
    for (let byte = 0; byte < 256; byte++) {
      total += counts[byte] as number;
      fanout.writeUInt32BE(total, byte * 4);
    }
    const far = Buffer.alloc(large.length * 8);
    for (const [index, offset] of large.entries()) far.writeBigUInt64BE(BigInt(offset), index * 8);
    const head = Buffer.from([0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2]);
    const body = Buffer.concat([head, fanout, oids, crcs, offsets, far, packSum]);
    return Buffer.concat([body, createHash('sha1').update(body).digest()]);
  }
}

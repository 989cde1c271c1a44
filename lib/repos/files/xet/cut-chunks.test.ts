import { createHash, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { joinByteGroups, splitByteGroups } from './byte-grouping.ts';
import { decodeChunk, readChunkRecord } from './chunk-records.ts';
import { cutChunks } from './cut-chunks.ts';
import { packChunk } from './pack-chunk.ts';

/** The bytes of xet-core's own test of its chunker: splitmix64 from 0, eight bytes a number. */
function splitmix(count: number): Buffer {
  const out = Buffer.alloc(Math.ceil(count / 8) * 8);
  let state = 0n;
  for (let at = 0; at < out.length; at += 8) {
    state = BigInt.asUintN(64, state + 0x9e3779b97f4a7c15n);
    let z = state;
    z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
    z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
    out.writeBigUInt64LE(z ^ (z >> 31n), at);
  }
  return out.subarray(0, count);
}

describe('cutting by content', () => {
  it('cuts where xet-core does', () => {
    const bytes = splitmix(1_000_000);
    expect(createHash('sha256').update(bytes).digest('hex').slice(0, 8)).toBe('b3d0a1f7');
    expect(cutChunks(bytes, true)).toEqual([
      84493, 134421, 144853, 243318, 271793, 336457, 467529, 494581, 582000, 596735, 616815, 653164, 678202,
      724510, 815591, 827760, 958832, 991092, 1000000,
    ]);
    expect(cutChunks(Buffer.alloc(300_000, 59), true)).toEqual([131072, 262144, 300000]);
  });

  it('cuts the same however the bytes arrive', () => {
    const bytes = splitmix(700_000);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 300_000 }), { maxLength: 6 }), (lengths) => {
        const ends: number[] = [];
        let done = 0;
        let arrived = 0;
        for (const length of [...lengths, bytes.length]) {
          arrived = Math.min(bytes.length, arrived + length);
          const some = cutChunks(bytes.subarray(done, arrived), arrived === bytes.length);
          ends.push(...some.map((end) => done + end));
          done += some.at(-1) ?? 0;
        }
        expect(ends).toEqual(cutChunks(bytes, true));
      }),
      { numRuns: 30 },
    );
  });
});

describe('a packed chunk', () => {
  it('unpacks to its bytes, by the way that is smallest', () => {
    const floats = new Float32Array(10_001).map(() => Math.random() / 50);
    const kinds = {
      none: randomBytes(30_001),
      lz4: Buffer.from('many words many words '.repeat(900)),
      'byte-grouped-lz4': Buffer.from(floats.buffer).subarray(0, 40_001),
    };
    for (const [scheme, bytes] of Object.entries(kinds)) {
      const packed = packChunk(bytes);
      const record = readChunkRecord(packed, 0);
      expect([record.scheme, record.rawBytes, record.dataEnd]).toEqual([scheme, bytes.length, packed.length]);
      const out = Buffer.alloc(bytes.length);
      decodeChunk(packed, record, out);
      expect(out.equals(bytes)).toBe(true);
    }
    for (let length = 1; length < 20; length++) {
      const bytes = randomBytes(length);
      const [columns, back] = [Buffer.alloc(length), Buffer.alloc(length)];
      splitByteGroups(bytes, columns);
      joinByteGroups(columns, back);
      expect(back).toEqual(bytes);
    }
  });
});

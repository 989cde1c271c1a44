import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeLz4Frame } from './lz4-frame.ts';
import { xxhash32 } from './xxhash32.ts';

interface FrameOptions {
  linked?: boolean;
  blockChecksum?: boolean;
  contentChecksum?: boolean;
  contentSize?: number;
  blocks: { raw: boolean; bytes: Buffer }[];
  content?: Buffer;
}

const le32 = (n: number) => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(n);
  return b;
};

/** A frame as the LZ4 Frame Format describes it, block contents given. */
function frame(o: FrameOptions): Buffer {
  const flags =
    0x40 |
    (o.linked ? 0 : 0x20) |
    (o.blockChecksum ? 0x10 : 0) |
    (o.contentSize === undefined ? 0 : 8) |
    (o.contentChecksum ? 4 : 0);
  const descriptor = Buffer.concat([
    Buffer.from([flags, 0x40]),
    ...(o.contentSize === undefined ? [] : [le32(o.contentSize), le32(0)]),
  ]);
  const parts: Buffer[] = [le32(0x184d2204), descriptor, Buffer.from([(xxhash32(descriptor) >>> 8) & 0xff])];
  for (const { raw, bytes } of o.blocks) {
    parts.push(le32(raw ? bytes.length + 0x80000000 : bytes.length), bytes);
    if (o.blockChecksum) parts.push(le32(xxhash32(bytes)));
  }
  parts.push(le32(0));
  if (o.contentChecksum) parts.push(le32(xxhash32(o.content ?? Buffer.alloc(0))));
  return Buffer.concat(parts);
}

function decode(bytes: Buffer, length: number): Buffer {
  const out = Buffer.alloc(length);
  decodeLz4Frame(bytes, out);
  return out;
}

/** One literal, then a match of offset 1 that repeats it `count` times. */
function repeatBlock(byte: number, count: number): Buffer {
  const extra: number[] = [];
  let left = count - 4 - 15;
  for (; left >= 255; left -= 255) extra.push(255);
  extra.push(left);
  return Buffer.from([0x1f, byte, 1, 0, ...extra]);
}

describe('decodeLz4Frame', () => {
  test('XXH32 equals the published values', () => {
    expect(xxhash32(Buffer.alloc(0))).toBe(0x02cc5d05);
    expect(xxhash32(Buffer.from('a'))).toBe(0x550d7456);
    expect(xxhash32(Buffer.from('Nobody inspects the spammish repetition'))).toBe(0xe2293b2f);
  });

  test('literals, overlapping matches and raw blocks come out right, with every kind of header field', () => {
    const text = Buffer.from('abcabcabcabcabcabcabc!');
    // 3 literals "abc", match offset 3 length 18, then literal "!"
    const compressed = Buffer.from([0x3e, ...Buffer.from('abc'), 3, 0, 0x10, ...Buffer.from('!')]);
    const blocks = [{ raw: false, bytes: compressed }];
    expect(decode(frame({ blocks }), text.length).equals(text)).toBe(true);
    const all = frame({
      blocks,
      blockChecksum: true,
      contentChecksum: true,
      contentSize: text.length,
      content: text,
    });
    expect(decode(all, text.length).equals(text)).toBe(true);
    const mixed = frame({ blocks: [{ raw: true, bytes: Buffer.from('xyz') }, ...blocks] });
    expect(decode(mixed, text.length + 3).toString()).toBe(`xyz${text}`);
  });

  test('a match may reach into the block before only when blocks are linked', () => {
    const blocks = [
      { raw: true, bytes: Buffer.from('abcd') },
      { raw: false, bytes: Buffer.from([0x00, 4, 0]) }, // match offset 4, length 4
    ];
    expect(decode(frame({ linked: true, blocks }), 8).toString()).toBe('abcdabcd');
    expect(() => decode(frame({ blocks }), 8)).toThrow(/before the start/);
  });

  test('a bomb stops at the first byte too many', () => {
    const blocks = Array.from({ length: 64 }, () => ({ raw: false, bytes: repeatBlock(7, 65_000) }));
    const started = performance.now();
    expect(() => decode(frame({ blocks }), 1000)).toThrow(/more output than promised/);
    expect(performance.now() - started).toBeLessThan(50);
  });

  test.each([
    ['short output', frame({ blocks: [{ raw: true, bytes: Buffer.from('abc') }] }), 4, /3 bytes of output/],
    ['bytes after the end', Buffer.concat([frame({ blocks: [] }), Buffer.from([0])]), 0, /after the end/],
    [
      'offset zero',
      frame({ blocks: [{ raw: false, bytes: Buffer.from([0x10, 1, 0, 0]) }] }),
      5,
      /before the start/,
    ],
    [
      'offset too far',
      frame({ blocks: [{ raw: false, bytes: Buffer.from([0x10, 1, 2, 0]) }] }),
      5,
      /before the start/,
    ],
    [
      'literals past the block',
      frame({ blocks: [{ raw: false, bytes: Buffer.from([0x50, 1, 2]) }] }),
      5,
      /past the block/,
    ],
    ['no end mark', frame({ blocks: [] }).subarray(0, 7), 0, /magic|cut short/],
    ['wrong content size', frame({ blocks: [], contentSize: 9 }), 0, /content size/],
    [
      'wrong content checksum',
      frame({ blocks: [{ raw: true, bytes: Buffer.from('a') }], contentChecksum: true }),
      1,
      /content checksum/,
    ],
    ['not LZ4', Buffer.from('this is not an LZ4 frame at all'), 4, /magic/],
  ])('%s is refused', (_name, bytes, length, message) => {
    expect(() => decode(bytes, length)).toThrow(message);
  });

  test('wrong header checksum is refused', () => {
    const bytes = frame({ blocks: [] });
    bytes[6] = (bytes[6] as number) ^ 1;
    expect(() => decode(bytes, 0)).toThrow(/header checksum/);
  });

  test('arbitrary damage ends in an error or in exactly the promised bytes, never elsewhere', () => {
    const good = frame({
      linked: true,
      blocks: [
        { raw: true, bytes: Buffer.from('some literal bytes, some literal bytes') },
        { raw: false, bytes: repeatBlock(9, 300) },
      ],
    });
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] as number) ^ flip;
        try {
          decode(bad, 339);
        } catch (error) {
          expect((error as Error).name).toBe('Lz4Error');
        }
      }),
      { numRuns: 2000 },
    );
  });
});

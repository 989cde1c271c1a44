import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { readGgufHeader } from './read-gguf-header.ts';
import { readSafetensorsHeader } from './read-safetensors-header.ts';

function reader(bytes: Buffer) {
  const reads: [number, number][] = [];
  const read = async (start: number, end: number) => {
    expect(start).toBeGreaterThanOrEqual(0);
    expect(end).toBeLessThan(bytes.length);
    reads.push([start, end]);
    return bytes.subarray(start, end + 1);
  };
  return { read, reads };
}

function safetensors(header: unknown, dataBytes: number): Buffer {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(dataBytes)]);
}

const text = (value: string) => {
  const bytes = Buffer.from(value);
  return Buffer.concat([u64(bytes.length), bytes]);
};
const u32 = (value: number) => {
  const b = Buffer.alloc(4);
  b.writeUInt32LE(value);
  return b;
};
const u64 = (value: number) => {
  const b = Buffer.alloc(8);
  b.writeBigUInt64LE(BigInt(value));
  return b;
};

function gguf(tokens = 300_000): Buffer {
  const keys = [
    [text('general.architecture'), u32(8), text('llama')],
    [text('llama.context_length'), u32(4), u32(2048)],
    [
      text('tokenizer.ggml.tokens'),
      u32(9),
      u32(8),
      u64(tokens),
      ...Array.from({ length: tokens }, (_, i) => text(`t${i}`)),
    ],
    [text('tokenizer.ggml.scores'), u32(9), u32(6), u64(1000), Buffer.alloc(4000)],
    [text('tokenizer.ggml.bos_token_id'), u32(4), u32(7)],
    [text('general.flag'), u32(7), Buffer.from([1])],
  ];
  const tensors = [
    [text('a.weight'), u32(2), u64(4), u64(8), u32(0), u64(0)],
    [text('b.weight'), u32(1), u64(10), u32(1), u64(128)],
  ];
  return Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(keys.length),
    ...keys.flat(),
    ...tensors.flat(),
    Buffer.alloc(5000),
  ]);
}

test('a safetensors header gives tensors and parameter counts with one read', async () => {
  const file = safetensors(
    {
      __metadata__: { format: 'pt' },
      w: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
      b: { dtype: 'BF16', shape: [4], data_offsets: [24, 32] },
    },
    32,
  );
  const { read, reads } = reader(file);
  expect(await readSafetensorsHeader(read, file.length)).toMatchObject({
    metadata: { format: 'pt' },
    parameters: { F32: 6, BF16: 4 },
    total: 10,
  });
  expect(reads).toHaveLength(1);
});

test.each([
  ['empty', Buffer.alloc(0)],
  ['an absurd length', Buffer.concat([Buffer.alloc(8, 0xff), Buffer.from('{}xx')])],
  ['a header longer than the file', safetensors({}, 0).fill(200, 0, 1)],
  ['no JSON', safetensors('{nope', 10)],
  ['an array', safetensors('[1,2,3]', 10)],
  ['a negative dimension', safetensors({ w: { dtype: 'F32', shape: [-1], data_offsets: [0, 4] } }, 8)],
  [
    'a shape overflow',
    safetensors({ w: { dtype: 'F32', shape: [2 ** 40, 2 ** 40], data_offsets: [0, 4] } }, 8),
  ],
  ['a tensor outside', safetensors({ w: { dtype: 'F32', shape: [1], data_offsets: [0, 400] } }, 8)],
])('a safetensors with %s is refused with the reason', async (_name, file) => {
  await expect(readSafetensorsHeader(reader(file).read, file.length)).rejects.toMatchObject({
    code: 'invalid_object',
    message: expect.stringMatching(/^not a valid safetensors file: /),
  });
});

test('a GGUF header gives metadata, weights count and single tokens, without reading the weights', async () => {
  const file = gguf();
  const { read, reads } = reader(file);
  const header = await readGgufHeader(read, file.length);
  expect(header.metadata).toMatchObject({
    'general.architecture': 'llama',
    'llama.context_length': 2048,
    'general.flag': true,
    'tokenizer.ggml.tokens': { length: 300_000 },
  });
  expect(header.total).toBe(42);
  expect(header.tensors.map((t) => t.shape)).toEqual([[4, 8], [10]]);
  expect(await header.tokenText(7)).toBe('t7');
  expect(await header.tokenText(300_000)).toBeNull();
  expect(reads.length).toBeLessThan(10);
});

test('a file that is no GGUF, a truncated one and impossible counts are refused with the reason', async () => {
  const good = gguf(10);
  const cases = [
    Buffer.from('hello'),
    readFileSync(new URL(import.meta.url)),
    good.subarray(0, 200),
    Buffer.concat([good.subarray(0, 8), u64(2 ** 40), good.subarray(16)]),
    Buffer.concat([good.subarray(0, 16), Buffer.alloc(8, 0xff), good.subarray(24)]),
    Buffer.concat([Buffer.from('GGUF'), u32(9), good.subarray(8)]),
  ];
  for (const file of cases) {
    await expect(readGgufHeader(reader(file).read, file.length)).rejects.toMatchObject({
      code: 'invalid_object',
    });
  }
});

test('no damage to a GGUF header does more than an error', async () => {
  const good = gguf(50);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 1200 }),
      fc.integer({ min: 0, max: 255 }),
      async (at, value) => {
        const file = Buffer.from(good);
        file[at] = value;
        try {
          await readGgufHeader(reader(file).read, file.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_object' });
        }
      },
    ),
    { numRuns: 500 },
  );
});

import { PassThrough } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BodyReader, type Want } from './body-reader.ts';

const see = () => {};

/** A body of these chunks that never ends by itself. */
function bodyOf(...chunks: string[]): PassThrough {
  const body = new PassThrough();
  for (const chunk of chunks) body.write(chunk);
  return body;
}

const textOf = async (reader: BodyReader, want: Partial<Want> & { sizeBytes: number }) =>
  String(await buffer(reader.take({ see, ...want })));

test('pieces follow one another through chunks of any size', async () => {
  const reader = new BodyReader(bodyOf('ab', 'cdefg', 'h', 'ij'));
  const sizes = [1, 3, 4, 2];
  const pieces: string[] = [];
  for (const sizeBytes of sizes) pieces.push(await textOf(reader, { sizeBytes }));
  expect(pieces).toEqual(['a', 'bcd', 'efgh', 'ij']);
});

test('the last piece is whole only when the body ends with it', async () => {
  const whole = bodyOf('abc');
  const read = textOf(new BodyReader(whole), { sizeBytes: 3, isLast: true });
  let hasEnded = false;
  void read.then(() => (hasEnded = true));
  await sleep(30);
  expect(hasEnded).toBe(false);
  whole.end();
  expect(await read).toBe('abc');
  for (const chunks of [['abcd'], ['abc', 'd'], ['ab', 'cd']]) {
    const longer = textOf(new BodyReader(bodyOf(...chunks)), { sizeBytes: 3, isLast: true });
    await expect(longer).rejects.toThrow('longer than the announced 3 bytes');
  }
  const longer = textOf(new BodyReader(bodyOf('a')), { sizeBytes: 0, isLast: true });
  await expect(longer).rejects.toThrow('longer than the announced 0 bytes');
  const empty = new PassThrough();
  empty.end();
  expect(await textOf(new BodyReader(empty), { sizeBytes: 0, isLast: true })).toBe('');
});

test('a body that ends or breaks off too early is an error, or a short piece where that is wanted', async () => {
  const ended = bodyOf('ab');
  ended.end();
  await expect(textOf(new BodyReader(ended), { sizeBytes: 3 })).rejects.toThrow('after 2 of 3 bytes');
  for (const isLast of [false, true]) {
    const broken = bodyOf('abc');
    const read = textOf(new BodyReader(broken), { sizeBytes: isLast ? 3 : 4, isLast });
    await sleep(10);
    broken.destroy(new Error('gone'));
    await expect(read).rejects.toThrow('gone');
  }
  const short = bodyOf('ab');
  const told: unknown[] = [];
  const done = (bytes: number, brokenOff?: Error) => told.push(bytes, brokenOff?.message);
  const read = textOf(new BodyReader(short), { sizeBytes: 3, mayBeShort: true, done });
  await sleep(10);
  short.destroy(new Error('gone'));
  expect([await read, ...told]).toEqual(['ab', 2, 'gone']);
});

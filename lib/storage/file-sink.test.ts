import { randomBytes } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from 'vitest';
import { FileSink } from './file-sink.ts';

const MIB = 2 ** 20;

async function inFile(work: (path: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-sink-'));
  await work(join(dir, 'file')).finally(() => rm(dir, { recursive: true }));
}

test('a disk that failed while the body still came is told at the end, though the last flush succeeds', async () => {
  await inFile(async (path) => {
    const file = await open(path, 'wx');
    const datasync = file.datasync.bind(file);
    let flushes = 0;
    file.datasync = async () => {
      await datasync();
      if (++flushes === 1) throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
    };
    const body = Array.from({ length: 48 }, () => Buffer.alloc(MIB));
    const written = pipeline(Readable.from(body), new FileSink(file, { sizeBytes: 48 * MIB }));
    await expect(written).rejects.toThrow('EIO');
    expect(flushes).toBe(1);
    await file.close();
  });
});

test('what is written while the disk already works has every byte in its place', async () => {
  await inFile(async (path) => {
    const file = await open(path, 'wx');
    const bytes = randomBytes(50 * MIB + 3);
    const pieces = Array.from({ length: 51 }, (_, i) => bytes.subarray(i * MIB, (i + 1) * MIB));
    await pipeline(Readable.from(pieces), new FileSink(file, { sizeBytes: bytes.length }));
    await file.close();
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });
});

test('one who asks is told what is durable while the body comes, at most 16 MiB late, and the body waits for an answer', async () => {
  await inFile(async (path) => {
    const file = await open(path, 'wx');
    let given = 0;
    const body = Readable.from(
      (function* () {
        for (; given < 64; given++) yield Buffer.alloc(MIB);
      })(),
    );
    const told: number[] = [];
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    const onDurable = async (bytes: number) => {
      told.push(bytes);
      if (told.length === 2) await answer;
    };
    const written = pipeline(body, new FileSink(file, { sizeBytes: 64 * MIB, onDurable }));
    while (told.length < 2) await new Promise((go) => setTimeout(go, 5));
    await new Promise((go) => setTimeout(go, 200));
    expect(told.length).toBe(2);
    expect(given * MIB - (told[0] as number)).toBeLessThanOrEqual(20 * MIB); // some wait before the file
    expect(given).toBeLessThan(64);
    resolve();
    await written;
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(64 * MIB - (told.at(-1) as number)).toBeLessThanOrEqual(16 * MIB);
    await file.close();
  });
});

test('a writing that fails because of who is told ends, and nothing is told afterwards', async () => {
  await inFile(async (path) => {
    const file = await open(path, 'wx');
    let told = 0;
    const onDurable = async () => {
      told++;
      throw new Error('taken over');
    };
    const body = Readable.from(Array.from({ length: 64 }, () => Buffer.alloc(MIB)));
    const written = pipeline(body, new FileSink(file, { sizeBytes: 64 * MIB, onDurable }));
    await expect(written).rejects.toThrow('taken over');
    await new Promise((go) => setTimeout(go, 50));
    expect(told).toBe(1);
    await file.close();
  });
});

test('what is the sink’s alone is freed as soon as it is written, and what is a part of other memory is left', async () => {
  await inFile(async (path) => {
    const file = await open(path, 'wx');
    const shared = randomBytes(3 * MIB);
    const own = [randomBytes(MIB), randomBytes(MIB)];
    const content = Buffer.concat([...own, shared.subarray(MIB, 2 * MIB)]);
    const body = Readable.from([...own, shared.subarray(MIB, 2 * MIB)]);
    await pipeline(body, new FileSink(file, { sizeBytes: 3 * MIB, mayFree: true }));
    await file.close();
    expect((await readFile(path)).equals(content)).toBe(true);
    expect(own.map(({ buffer }) => (buffer as ArrayBuffer).detached)).toEqual([true, true]);
    expect(shared.subarray(MIB, 2 * MIB).equals(content.subarray(2 * MIB))).toBe(true);
  });
});

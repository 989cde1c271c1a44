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
    const written = pipeline(Readable.from(body), new FileSink(file, 48 * MIB, false));
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
    await pipeline(Readable.from(pieces), new FileSink(file, bytes.length, false));
    await file.close();
    expect((await readFile(path)).equals(bytes)).toBe(true);
  });
});

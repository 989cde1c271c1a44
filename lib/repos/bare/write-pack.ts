import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failpoint } from '#lib/base/failpoint.ts';
import { GrowingPack } from './growing-pack.ts';
import type { PackBatch } from './pack-entry.ts';
import { PackIndex } from './pack-index.ts';

function packHeader(count: number): Buffer {
  const head = Buffer.alloc(12);
  head.write('PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(count, 8);
  return head;
}

async function writeEntries(
  file: FileHandle,
  count: number,
  batches: AsyncIterable<PackBatch>,
  growing: GrowingPack | undefined,
): Promise<{ index: PackIndex; sum: Buffer; sizeBytes: number }> {
  const head = packHeader(count);
  const sum = createHash('sha1').update(head);
  await file.write(head);
  const index = new PackIndex();
  let offset = head.length;
  for await (const batch of batches) {
    sum.update(batch.bytes);
    await file.write(batch.bytes);
    growing?.grewTo(offset + batch.bytes.length);
    index.add(batch, offset);
    offset += batch.bytes.length;
    await failpoint('clone.batch-written');
  }
  if (index.count !== count) throw new Error(`a pack of ${count} objects was begun, ${index.count} came`);
  const digest = sum.digest();
  await file.write(digest);
  growing?.end(offset + digest.length);
  return { index, sum: digest, sizeBytes: offset + digest.length };
}

export interface WrittenPack {
  /** Its files, without `.pack` and `.idx`. */
  readonly path: string;
  /** Both files together. */
  readonly sizeBytes: number;
}

/**
 * Writes entries, which come in the order of their oids, as a pack with its index into a folder of packs: rows are
 * deflated as a pack carries them, so nothing is inflated and git need not run. The index appears last and by a
 * rename: git sees the whole pack or nothing of it. `onBegin` is given the pack as soon as there is a file; whoever
 * reads from it gets the error that this throws.
 */
export async function writePack(
  folder: string,
  count: number,
  batches: AsyncIterable<PackBatch>,
  onBegin?: (pack: GrowingPack) => void,
): Promise<WrittenPack> {
  const aside = join(folder, `tmp_${randomBytes(8).toString('hex')}`);
  const growing = onBegin && new GrowingPack(aside);
  try {
    const file = await open(aside, 'wx');
    let written: Awaited<ReturnType<typeof writeEntries>>;
    try {
      if (growing) onBegin(growing);
      written = await writeEntries(file, count, batches, growing);
    } finally {
      await file.close();
    }
    const index = written.index.encode(written.sum);
    const name = join(folder, `pack-${written.sum.toString('hex')}`);
    await rename(aside, `${name}.pack`);
    growing?.movedTo(`${name}.pack`);
    await writeFile(aside, index);
    await rename(aside, `${name}.idx`);
    return { path: name, sizeBytes: written.sizeBytes + index.length };
  } catch (error) {
    growing?.fail(error as Error);
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Kind } from '../git/objects.ts';

/** A row as it goes into a pack. */
export interface PackRow {
  /** 20 bytes. */
  readonly oid: Buffer;
  readonly kind: Kind;
  readonly sizeBytes: number;
  /** Deflated. */
  readonly data: Buffer;
}

/** Most bytes of an entry header: 4 bits and then 7 at a time of a size below 2^53. */
const MAX_HEADER = 8;

/** Writes the object header of a pack, type and size, 4 and then 7 bits at a time (gitformat-pack(5)); returns its end. */
function writeEntryHeader(into: Buffer, start: number, kind: number, sizeBytes: number): number {
  let at = start;
  let current = (kind << 4) | (sizeBytes & 15);
  for (let rest = Math.floor(sizeBytes / 16); rest > 0; rest = Math.floor(rest / 128)) {
    into[at++] = current | 128;
    current = rest & 127;
  }
  into[at++] = current;
  return at;
}

function packHeader(count: number): Buffer {
  const head = Buffer.alloc(12);
  head.write('PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(count, 8);
  return head;
}

interface Entry {
  readonly oid: Buffer;
  readonly crc: number;
  readonly offset: number;
}

const LARGE_OFFSET = 0x8000_0000;

/** The index of a pack, version 2 (gitformat-pack(5)). Entries stand in the order of their oids. */
function encodeIndex(entries: readonly Entry[], packSum: Buffer): Buffer {
  const fanout = Buffer.alloc(256 * 4);
  const oids = Buffer.alloc(entries.length * 20);
  const crcs = Buffer.alloc(entries.length * 4);
  const offsets = Buffer.alloc(entries.length * 4);
  const counts = new Uint32Array(256);
  const large: number[] = [];
  for (const [index, { oid, crc, offset }] of entries.entries()) {
    oid.copy(oids, index * 20);
    const first = oids[index * 20] as number;
    counts[first] = (counts[first] as number) + 1;
    crcs.writeUInt32BE(crc, index * 4);
    offsets.writeUInt32BE(offset < LARGE_OFFSET ? offset : LARGE_OFFSET + large.push(offset) - 1, index * 4);
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

async function writeEntries(
  file: FileHandle,
  count: number,
  batches: AsyncIterable<readonly PackRow[]>,
): Promise<{ entries: Entry[]; sum: Buffer; sizeBytes: number }> {
  const head = packHeader(count);
  const sum = createHash('sha1').update(head);
  await file.write(head);
  const entries: Entry[] = [];
  let offset = head.length;
  for await (const rows of batches) {
    // one buffer for a batch: pieces of a hundred bytes cost more to join than to copy
    const room = Buffer.allocUnsafe(rows.reduce((size, row) => size + MAX_HEADER + row.data.length, 0));
    let end = 0;
    for (const { oid, kind, sizeBytes, data } of rows) {
      const start = end;
      end = writeEntryHeader(room, start, kind, sizeBytes);
      end += data.copy(room, end);
      entries.push({ oid, crc: crc32(room.subarray(start, end)), offset: offset + start });
    }
    const bytes = room.subarray(0, end);
    offset += end;
    sum.update(bytes);
    await file.write(bytes);
  }
  if (entries.length !== count)
    throw new Error(`a pack of ${count} objects was begun, ${entries.length} came`);
  const digest = sum.digest();
  await file.write(digest);
  return { entries, sum: digest, sizeBytes: offset + digest.length };
}

export interface WrittenPack {
  /** Its files, without `.pack` and `.idx`. */
  readonly path: string;
  /** Both files together. */
  readonly sizeBytes: number;
}

/**
 * Writes rows, which come in the order of their oids, as a pack with its index into a folder of packs: rows are
 * deflated as a pack carries them, so nothing is inflated and git need not run. The index appears last and by a
 * rename: git sees the whole pack or nothing of it.
 */
export async function writePack(
  folder: string,
  count: number,
  batches: AsyncIterable<readonly PackRow[]>,
): Promise<WrittenPack> {
  const aside = join(folder, `tmp_${randomBytes(8).toString('hex')}`);
  try {
    const file = await open(aside, 'wx');
    let written: Awaited<ReturnType<typeof writeEntries>>;
    try {
      written = await writeEntries(file, count, batches);
    } finally {
      await file.close();
    }
    const index = encodeIndex(written.entries, written.sum);
    const name = join(folder, `pack-${written.sum.toString('hex')}`);
    await rename(aside, `${name}.pack`);
    await writeFile(aside, index);
    await rename(aside, `${name}.idx`);
    return { path: name, sizeBytes: written.sizeBytes + index.length };
  } finally {
    await rm(aside, { force: true });
  }
}

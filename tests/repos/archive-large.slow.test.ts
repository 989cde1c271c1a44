import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ArchiveContent } from '#lib/repos/archive/archive-contents.ts';
import type { ArchiveFile } from '#lib/repos/archive/archive-files.ts';
import { writeZip } from '#lib/repos/archive/write-zip.ts';
import { archiveBytes } from '#lib/repos/archive/zip-format.ts';
import { piecesOf } from '#lib/storage/pieces.ts';
import { pythonOf } from '#tests/clients/python.ts';

const run = promisify(execFile);
const GIB = 2 ** 30;
const ZEROS = Buffer.alloc(1 << 20);
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-zip-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const file = (path: string, sizeBytes: number, crcFollows: boolean): ArchiveFile => ({
  path,
  mode: 0o100644,
  sizeBytes,
  crcFollows,
  oid: null,
  sha256: null,
});

async function* zeros(sizeBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < sizeBytes; at += ZEROS.length)
    yield ZEROS.subarray(0, Math.min(ZEROS.length, sizeBytes - at));
}

async function* contents(files: readonly ArchiveFile[]): AsyncGenerator<ArchiveContent> {
  for (const f of files)
    yield f.crcFollows
      ? { file: f, pieces: piecesOf(zeros(f.sizeBytes)) }
      : { file: f, bytes: Buffer.alloc(f.sizeBytes, 'x') };
}

/** Writes the archive to a file with holes where its bytes are zero; checks the length that was promised. */
async function write(name: string, files: readonly ArchiveFile[]): Promise<string> {
  const path = join(dir, name);
  const out = await open(path, 'w');
  let at = 0;
  for await (const piece of writeZip(files, contents(files), 1_700_000_000)) {
    if (!(piece.length === ZEROS.length && piece.equals(ZEROS))) await out.write(piece, 0, piece.length, at);
    at += piece.length;
  }
  await out.truncate(at);
  await out.close();
  expect(at).toBe(archiveBytes(files));
  return path;
}

const CHECK = `import zipfile, sys
z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
print(len(z.infolist()), sum(i.file_size for i in z.infolist()))`;

test('entries above 4 GiB and just below, and ones that begin above it', async () => {
  const sizes = [5 * GIB, 0xfffffffe, 10];
  const files = sizes.map((size, i) => file(`${i}.bin`, size, size > 100));
  const path = await write('large.zip', files);
  const total = sizes.reduce((a, b) => a + b);
  const { stdout } = await run(pythonOf(), ['-c', CHECK, path]);
  expect(stdout.trim()).toBe(`3 ${total}`);
  await run('unzip', ['-tqq', path]);
  await run('bsdtar', ['-tf', path]);
}, 600_000);

// Info-ZIP's unzip reads this one size as "look elsewhere" even where it stands in full.
test('an entry of exactly 4 GiB less one byte', async () => {
  const path = await write('edge.zip', [file('0.bin', 0xffffffff, true), file('1.bin', 10, false)]);
  const { stdout } = await run(pythonOf(), ['-c', CHECK, path]);
  expect(stdout.trim()).toBe(`2 ${0xffffffff + 10}`);
}, 600_000);

test('more than 65,535 entries', async () => {
  for (const count of [65_534, 65_535, 70_000]) {
    const files = Array.from({ length: count }, (_, i) => file(`d${i % 100}/f${i}`, i % 5, false));
    const path = await write(`${count}.zip`, files);
    const { stdout } = await run(pythonOf(), ['-c', CHECK, path]);
    expect(stdout.split(' ')[0]).toBe(String(count));
    await run('unzip', ['-tqq', path]);
  }
}, 600_000);

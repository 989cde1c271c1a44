import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BytesRoom, writeRandomFile } from './bytes-room.ts';
import { median, timed } from './children.ts';
import type { Figure } from './main.ts';

const FILES = 1000;
const ROUNDS = 3;

/** Seconds of `zip -0` of a folder into a pipe that `cat` reads to its end. */
const zipToPipe = (folder: string) =>
  timed('bash', ['-c', `set -o pipefail; cd '${folder}' && zip -0 -q -r - . | cat >/dev/null`]);

/** A repo of 1,000 files as a zip, stored whole and as Xet, against `zip -0` of the same files; turns alternate. */
export async function benchZip(room: BytesRoom): Promise<Figure[]> {
  const folder = join(room.dir, 'many');
  await mkdir(folder);
  const total = Math.min(room.sizeBytes, 2 * 1024 ** 3);
  for (let i = 0; i < FILES; i++) await writeRandomFile(join(folder, `${i}.bin`), Math.floor(total / FILES));
  await room.hf(['upload', 'admin/many-whole', folder], { HF_HUB_DISABLE_XET: '1' });
  await room.hf(['upload', 'admin/many-xet', folder]);
  const ours: Record<string, number[]> = { whole: [], xet: [] };
  const peer: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const seconds = await zipToPipe(folder);
    if (round > 0) peer.push(seconds);
    for (const name of ['whole', 'xet']) {
      const url = `${room.hub.url}/admin/many-${name}/archive/main.zip`;
      const auth = `Authorization: Bearer ${room.hub.adminToken}`;
      const took = await timed('curl', ['-sf', '-o', '/dev/null', '-H', auth, url]);
      if (round > 0) ours[name]?.push(took);
    }
  }
  return Object.entries(ours).map(([name, all]) => ({
    name: `zip of ${FILES} files (${name}) / zip -0`,
    value: median(all.map((seconds, i) => (peer[i] ?? 0) / seconds)),
    unit: '×',
    limit: 0.7,
    good: 'at least',
    detail: `${(total / 1e6 / median(all)).toFixed(0)} MB/s against ${(total / 1e6 / median(peer)).toFixed(0)} MB/s`,
  }));
}

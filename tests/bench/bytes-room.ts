import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { timed } from './children.ts';

const PIECE = 64 * 1024 * 1024;

/** A hub, and a folder with a file of random bytes that it holds by either door. */
export interface BytesRoom {
  readonly hub: Hub;
  readonly dir: string;
  readonly folder: string;
  /** folder/random.bin. */
  readonly file: string;
  readonly sizeBytes: number;
  /** `hf` with the right environment; resolves to its seconds. */
  hf(args: string[], env?: Record<string, string>): Promise<number>;
  close(): Promise<void>;
}

/** Bytes of the large file; 4294967296 for the figures of the promise. */
export const SIZE_BYTES = Number(process.env.LARDER_BENCH_BYTES ?? 256 * 1024 ** 2);

/** Writes random bytes: nothing is won by compression or by deduplication. */
export async function writeRandomFile(path: string, sizeBytes: number): Promise<void> {
  const out = createWriteStream(path);
  for (let written = 0; written < sizeBytes; written += PIECE) {
    const piece = randomBytes(Math.min(PIECE, sizeBytes - written));
    if (!out.write(piece)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

/** Opens a room with a hub of its own. */
export async function openBytesRoom(env: Record<string, string> = {}): Promise<BytesRoom> {
  const python = process.env.LARDER_TEST_PYTHON;
  if (!python) throw new Error('LARDER_TEST_PYTHON is not set: run through npm run bench');
  const dir = await mkdtemp(join(tmpdir(), 'larder-bench-'));
  const folder = join(dir, 'model');
  const file = join(folder, 'random.bin');
  await mkdir(folder);
  await writeRandomFile(file, SIZE_BYTES);
  const hub = await startHub({ env: { LOG_LEVEL: 'warn', ...env } });
  return {
    hub,
    dir,
    folder,
    file,
    sizeBytes: SIZE_BYTES,
    hf: (args, more = {}) =>
      timed(join(python, '..', 'hf'), args, {
        HF_ENDPOINT: hub.url,
        HF_TOKEN: hub.adminToken,
        HF_HOME: join(dir, 'hf'),
        HF_HUB_DISABLE_PROGRESS_BARS: '1',
        ...more,
      }),
    async close() {
      await hub.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

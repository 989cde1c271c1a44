import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
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
  /** As hf, with the seconds of processor time that it used. */
  hfCpu(args: string[], env?: Record<string, string>): Promise<{ seconds: number; clientCpu: number }>;
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
export async function openBytesRoom(
  env: Record<string, string> = {},
  sizeBytes = SIZE_BYTES,
): Promise<BytesRoom> {
  const python = process.env.LARDER_TEST_PYTHON;
  if (!python) throw new Error('LARDER_TEST_PYTHON is not set: run through npm run bench');
  const dir = await mkdtemp(join(tmpdir(), 'larder-bench-'));
  const folder = join(dir, 'model');
  const file = join(folder, 'random.bin');
  await mkdir(folder);
  await writeRandomFile(file, sizeBytes);
  const hub = await startHub({ env: { LOG_LEVEL: 'warn', ...env } });
  const hf = join(python, '..', 'hf');
  const hfEnv = () => ({
    HF_ENDPOINT: hub.url,
    HF_TOKEN: hub.adminToken,
    HF_HOME: join(dir, 'hf'),
    HF_HUB_DISABLE_PROGRESS_BARS: '1',
  });
  return {
    hub,
    dir,
    folder,
    file,
    sizeBytes,
    hf: (args, more = {}) => timed(hf, args, { ...hfEnv(), ...more }),
    async hfCpu(args, more = {}) {
      const times = join(dir, 'times');
      const line = [hf, ...args].map((word) => `'${word}'`).join(' ');
      const seconds = await timed('bash', ['-c', `${line} && times >${times}`], { ...hfEnv(), ...more });
      const of = /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/.exec(
        (await readFile(times, 'utf8')).trim().split('\n')[1] ?? '',
      );
      const [, m1, s1, m2, s2] = (of ?? []).map(Number) as number[];
      return { seconds, clientCpu: 60 * ((m1 ?? 0) + (m2 ?? 0)) + (s1 ?? 0) + (s2 ?? 0) };
    },
    async close() {
      await hub.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

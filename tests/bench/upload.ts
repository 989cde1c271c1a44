import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHub } from '#tests/support/hub.ts';
import { startPeer, stopPeer, timed, watchMemory } from './children.ts';
import type { Figure } from './main.ts';

const SIZE_BYTES = Number(process.env.BENCH_UPLOAD_BYTES ?? 2 * 1024 ** 3);
const PIECE = 64 * 1024 * 1024;

async function writeRandomFile(path: string, sizeBytes: number): Promise<void> {
  const out = createWriteStream(path);
  for (let written = 0; written < sizeBytes; written += PIECE) {
    const piece = randomBytes(Math.min(PIECE, sizeBytes - written));
    if (!out.write(piece)) await once(out, 'drain');
  }
  out.end();
  await once(out, 'close');
}

/** Seconds to PUT a file as one request body. */
async function putFile(port: number, path: string): Promise<number> {
  const { size } = await stat(path);
  const startedMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    const req = request(
      { port, host: '127.0.0.1', method: 'PUT', headers: { 'content-length': size } },
      (res) => {
        res.resume();
        if (res.statusCode === 200) res.on('end', resolve);
        else reject(new Error(`PUT answered ${res.statusCode}`));
      },
    );
    req.on('error', reject);
    createReadStream(path, { highWaterMark: 1 << 20 }).pipe(req);
  });
  return (performance.now() - startedMs) / 1000;
}

/**
 * `hf upload` of a random file (nothing to deduplicate or compress) against a plain PUT of the same bytes into
 * the same kind of store, and the server's memory meanwhile and while the bridge streams it back.
 */
export async function benchUpload(): Promise<Figure[]> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-bench-'));
  const python = process.env.LARDER_TEST_PYTHON;
  if (!python) throw new Error('LARDER_TEST_PYTHON is not set: run through npm run bench');
  const hub = await startHub({ env: { LOG_LEVEL: 'warn' } });
  const peer = await startPeer('tests/bench/put-server.ts', [join(dir, 'store')], {});
  try {
    const folder = join(dir, 'model');
    const file = join(folder, 'random.bin');
    await mkdir(folder);
    await writeRandomFile(file, SIZE_BYTES);
    const putSeconds = await putFile(peer.port, file);
    const hf = join(python, '..', 'hf');
    const env = {
      HF_ENDPOINT: hub.url,
      HF_TOKEN: hub.adminToken,
      HF_HOME: join(dir, 'hf'),
      HF_HUB_DISABLE_PROGRESS_BARS: '1',
    };
    await timed(hf, ['version'], env);
    const upload = watchMemory(hub.serverPid ?? 0);
    const uploadSeconds = await timed(hf, ['upload', 'admin/bench-upload', folder], env);
    const uploadMb = upload.stop();
    const download = watchMemory(hub.serverPid ?? 0);
    const url = `${hub.url}/admin/bench-upload/resolve/main/random.bin`;
    const downloadSeconds = await timed('curl', [
      '-sfL',
      '-o',
      '/dev/null',
      '-H',
      `Authorization: Bearer ${hub.adminToken}`,
      url,
    ]);
    const downloadMb = download.stop();
    const mb = SIZE_BYTES / 1e6;
    return [
      {
        name: 'hf upload / plain PUT into the same store',
        value: putSeconds / uploadSeconds,
        unit: '×',
        limit: 0.5,
        good: 'at least',
        detail: `${(mb / uploadSeconds).toFixed(0)} MB/s against ${(mb / putSeconds).toFixed(0)} MB/s`,
      },
      {
        name: 'server memory growth during upload',
        value: uploadMb,
        unit: 'MB',
        limit: 300,
        good: 'at most',
        detail: '',
      },
      {
        name: 'server memory growth during download',
        value: downloadMb,
        unit: 'MB',
        limit: 64,
        good: 'at most',
        detail: `${(mb / downloadSeconds).toFixed(0)} MB/s through the bridge`,
      },
    ];
  } finally {
    await stopPeer(peer.child);
    await hub.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startHub } from '#tests/support/hub.ts';
import { startPeer, stopPeer, watchMemory } from './children.ts';
import type { Figure } from './main.ts';

const SIZE_BYTES = Number(process.env.BENCH_UPLOAD_BYTES ?? 2 * 1024 ** 3);
const ROUNDS = 3;
const PIECE = 64 * 1024 * 1024;

async function writeRandomFile(path: string): Promise<void> {
  const out = createWriteStream(path);
  for (let written = 0; written < SIZE_BYTES; written += PIECE)
    if (!out.write(randomBytes(Math.min(PIECE, SIZE_BYTES - written)))) await once(out, 'drain');
  out.end();
  await once(out, 'close');
}

/** Seconds until the file was sent as one body and answered. */
async function send(
  url: string,
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<number> {
  const startedMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    const req = request(url, { method, headers: { ...headers, 'content-length': SIZE_BYTES } }, (res) => {
      res.resume();
      if ((res.statusCode ?? 500) < 300) res.on('end', resolve);
      else reject(new Error(`${method} answered ${res.statusCode} ${res.headers['x-error-message']}`));
    });
    req.on('error', reject);
    createReadStream(path, { highWaterMark: 1 << 20 }).pipe(req);
  });
  return (performance.now() - startedMs) / 1000;
}

async function begin(url: string, auth: Record<string, string>): Promise<string> {
  const metadata = `path ${Buffer.from('random.bin').toString('base64')}`;
  const headers = { ...auth, 'upload-length': String(SIZE_BYTES), 'upload-metadata': metadata };
  const answer = await fetch(`${url}/api/models/admin/bench-tus/tus`, { method: 'POST', headers });
  if (answer.status !== 201) throw new Error(`create: ${answer.status} ${await answer.text()}`);
  return answer.headers.get('location') ?? '';
}

/** A tus upload, hashed and linked, against a plain PUT of the same bytes into the same kind of store; best of three. */
export async function benchTus(): Promise<Figure[]> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-bench-'));
  const hub = await startHub({ env: { LOG_LEVEL: 'warn' } });
  const peer = await startPeer('tests/bench/put-server.ts', [join(dir, 'store')], {});
  try {
    const file = join(dir, 'random.bin');
    await writeRandomFile(file);
    const auth = { authorization: `Bearer ${hub.adminToken}`, 'tus-resumable': '1.0.0' };
    const body = JSON.stringify({ name: 'bench-tus' });
    const create = { method: 'POST', headers: { ...auth, 'content-type': 'application/json' }, body };
    if (!(await fetch(`${hub.url}/api/repos/create`, create)).ok) throw new Error('no repo');
    const patch = { ...auth, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
    const puts: number[] = [];
    const uploads: number[] = [];
    let grownMb = 0;
    for (let round = 0; round < ROUNDS; round++) {
      puts.push(await send(`http://127.0.0.1:${peer.port}/`, 'PUT', file, {}));
      const location = await begin(hub.url, auth);
      const memory = watchMemory(hub.serverPid ?? 0);
      uploads.push(await send(location, 'PATCH', file, patch));
      grownMb = Math.max(grownMb, memory.stop());
    }
    const rate = (seconds: number[]) => `${(SIZE_BYTES / 1e6 / Math.min(...seconds)).toFixed(0)} MB/s`;
    return [
      {
        name: 'tus upload / plain PUT into the same store',
        value: Math.min(...puts) / Math.min(...uploads),
        unit: '×',
        limit: 0.8,
        good: 'at least',
        detail: `${rate(uploads)} against ${rate(puts)}`,
      },
      {
        name: 'server memory growth during a tus upload',
        value: grownMb,
        unit: 'MB',
        limit: 64,
        good: 'at most',
        detail: '',
      },
    ];
  } finally {
    await stopPeer(peer.child);
    await hub.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

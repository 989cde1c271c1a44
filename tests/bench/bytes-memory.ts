import { once } from 'node:events';
import { get, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { TABLES_BYTES } from '#lib/repos/files/xet/plan-runs.ts';
import { BRIDGE_BYTES } from '#lib/repos/files/xet/read-terms.ts';
import { WRITE_BYTES } from '#lib/storage/file-sink.ts';
import { READ_BYTES } from '#lib/storage/local-object.ts';
import { IDLE_BYTES } from '#lib/storage/piece-buffers.ts';
import type { BytesRoom } from './bytes-room.ts';
import { residentMb } from './children.ts';
import type { Figure } from './main.ts';

const CLIENTS = 100;
const SECONDS = Number(process.env.LARDER_BENCH_MEMORY_SECONDS ?? 10);
const GIB = 1024 ** 3;
/** What docs/operations.md says under "Memory" that downloads hold, in MB. */
const READ_BUFFERS_MB = (READ_BYTES + IDLE_BYTES) / 1e6;
const BRIDGE_BUFFERS_MB = (BRIDGE_BYTES + IDLE_BYTES + TABLES_BYTES) / 1e6;
/** What all uploads have on their way to the disk, and a quarter of a MB of each: in its piece and before the queue. */
const WRITE_BUFFERS_MB = (WRITE_BYTES + CLIENTS * 2 ** 18) / 1e6;

/** The most by which the server grows above idle while `start` keeps a hundred clients busy for some seconds. */
async function growthWhile(
  room: BytesRoom,
  start: (index: number, stop: AbortSignal) => Promise<void>,
): Promise<number> {
  const pid = room.hub.serverPid ?? 0;
  const idleMb = residentMb(pid);
  const stop = new AbortController();
  const clients = Array.from({ length: CLIENTS }, (_, i) => start(i, stop.signal).catch(() => {}));
  let peakMb = idleMb;
  for (let at = 0; at < SECONDS * 10; at++) {
    await sleep(100);
    peakMb = Math.max(peakMb, residentMb(pid));
  }
  stop.abort();
  await Promise.all(clients);
  await sleep(1000);
  return peakMb - idleMb;
}

/** Downloads the file again and again, reading all that comes. */
function reader(room: BytesRoom, repo: string) {
  const headers = { authorization: `Bearer ${room.hub.adminToken}` };
  return async (_index: number, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const req = get(`${room.hub.url}/admin/${repo}/resolve/main/random.bin`, {
        headers,
        signal,
        agent: false,
      });
      const [res] = (await once(req, 'response')) as [NodeJS.ReadableStream];
      res.resume();
      await once(res, 'end');
    }
  };
}

/** Uploads a gigabyte that has not ended when the time is over. */
function writer(room: BytesRoom) {
  const auth = { authorization: `Bearer ${room.hub.adminToken}`, 'tus-resumable': '1.0.0' };
  const piece = Buffer.alloc(256 * 1024, 1);
  return async (index: number, signal: AbortSignal): Promise<void> => {
    const metadata = `path ${Buffer.from(`${index}.bin`).toString('base64')}`;
    const created = await fetch(`${room.hub.url}/api/models/admin/whole/tus`, {
      method: 'POST',
      headers: { ...auth, 'upload-length': String(GIB), 'upload-metadata': metadata },
    });
    const headers = {
      ...auth,
      'upload-offset': '0',
      'content-type': 'application/offset+octet-stream',
      'content-length': GIB,
    };
    const req = request(created.headers.get('location') ?? '', {
      method: 'PATCH',
      headers,
      signal,
      agent: false,
    });
    for (let sent = 0; sent < GIB && !signal.aborted; sent += piece.length)
      if (!req.write(piece)) await once(req, 'drain', { signal });
  };
}

/** A hundred clients at a time: what the server needs above idle, less the buffers that are documented. */
export async function benchMemory(room: BytesRoom): Promise<Figure[]> {
  const figure = (name: string, grownMb: number, buffersMb: number): Figure => ({
    name: `${CLIENTS} ${name}: memory above buffers`,
    value: Math.max(0, grownMb - buffersMb),
    unit: 'MB',
    limit: 64,
    good: 'at most',
    detail: `grew by ${grownMb.toFixed(0)} MB, of which ${buffersMb.toFixed(0)} MB are documented buffers`,
  });
  const rest = async () => {
    await room.hub.kill();
    await room.hub.restart(); // nothing that was kept before may hide anything
    // threads run and code is compiled before "idle" is taken
    const headers = { authorization: `Bearer ${room.hub.adminToken}`, range: 'bytes=0-33554431' };
    for (const repo of ['whole', 'xet'])
      await (await fetch(`${room.hub.url}/admin/${repo}/resolve/main/random.bin`, { headers })).arrayBuffer();
  };
  await rest();
  const whole = await growthWhile(room, reader(room, 'whole'));
  await rest();
  const bridge = await growthWhile(room, reader(room, 'xet'));
  await rest();
  const tus = await growthWhile(room, writer(room));
  return [
    figure('downloads of a whole object', whole, READ_BUFFERS_MB),
    figure('downloads by the bridge', bridge, BRIDGE_BUFFERS_MB),
    figure('uploads by tus', tus, WRITE_BUFFERS_MB),
  ];
}

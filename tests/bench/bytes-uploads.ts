import { createReadStream, existsSync, watch } from 'node:fs';
import { copyFile, mkdir, rm, symlink } from 'node:fs/promises';
import { request } from 'node:http';
import { delimiter, dirname, join } from 'node:path';
import { GitPerson } from '#tests/clients/git-person.ts';
import { hfOk } from '#tests/clients/python.ts';
import { startRgw } from '#tests/support/rgw.ts';
import { type BytesRoom, openBytesRoom, SIZE_BYTES } from './bytes-room.ts';
import { cpuSeconds, startPeer, stopPeer } from './children.ts';
import type { Figure } from './main.ts';
import { PageCache } from './page-cache.ts';

/** The S3 server of the tests keeps everything in 4 GiB of memory, and every door leaves a copy. */
const S3_BYTES = Math.min(SIZE_BYTES, 256 * 1024 ** 2);
/** `local` leaves S3 out, which takes half a minute to start. */
const STORES = (process.env.LARDER_BENCH_STORES ?? 'local,s3').split(',');

interface Took {
  readonly seconds: number;
  /** Where there was something to prepare. */
  readonly startedMs?: number;
  /** Of the client, when it is a process of its own. */
  readonly clientCpu?: number;
}

async function sendBody(
  url: string,
  method: string,
  room: BytesRoom,
  headers: Record<string, string>,
): Promise<Took> {
  const startedMs = performance.now();
  await new Promise<void>((resolve, reject) => {
    const req = request(
      url,
      { agent: false, method, headers: { ...headers, 'content-length': room.sizeBytes } },
      (res) => {
        res.resume();
        if ((res.statusCode ?? 500) < 300) res.on('end', resolve);
        else reject(new Error(`${method} answered ${res.statusCode} ${res.headers['x-error-message']}`));
      },
    );
    req.on('error', reject);
    createReadStream(room.file, { highWaterMark: 1 << 20 }).pipe(req);
  });
  return { seconds: (performance.now() - startedMs) / 1000, startedMs };
}

async function createRepo(room: BytesRoom, name: string): Promise<void> {
  const answer = await fetch(`${room.hub.url}/api/repos/create`, {
    method: 'POST',
    headers: { authorization: `Bearer ${room.hub.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

async function byTus(room: BytesRoom): Promise<Took> {
  await createRepo(room, 'up-tus');
  const auth = { authorization: `Bearer ${room.hub.adminToken}`, 'tus-resumable': '1.0.0' };
  const metadata = `path ${Buffer.from('random.bin').toString('base64')}`;
  const headers = { ...auth, 'upload-length': String(room.sizeBytes), 'upload-metadata': metadata };
  const begun = await fetch(`${room.hub.url}/api/models/admin/up-tus/tus`, { method: 'POST', headers });
  if (begun.status !== 201) throw new Error(await begun.text());
  const patch = { ...auth, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };
  return sendBody(begun.headers.get('location') ?? '', 'PATCH', room, patch);
}

/** The time of the push alone: adding and hashing are git-lfs's own affair. */
async function byGit(room: BytesRoom, person: GitPerson, name: string, withAgent: boolean): Promise<Took> {
  await createRepo(room, name);
  await person.git('', 'lfs', 'install', '--skip-repo');
  await person.git('', 'clone', '-q', person.remote(`admin/${name}`), name);
  if (withAgent)
    await hfOk(['lfs-enable-largefiles', '.'], {
      endpoint: room.hub.url,
      home: person.home,
      cwd: person.at(name),
    });
  await copyFile(room.file, join(person.at(name), 'random.bin'));
  await person.git(name, 'add', '-A');
  await person.git(name, 'commit', '-qm', 'large');
  const startedMs = performance.now();
  await person.git(name, 'push', '-q', 'origin', 'HEAD:main');
  const seconds = (performance.now() - startedMs) / 1000;
  await rm(person.at(name), { recursive: true });
  return { seconds, startedMs };
}

/** Watches the hub's local store, and tells when the first file or part in it was begun after some moment; undefined on S3. */
function watchStore(room: BytesRoom): { firstAfter(ms: number): number | undefined; close(): void } {
  const store = join(room.hub.dataDir, 'objects');
  const begunMs: number[] = [];
  const watcher = existsSync(store) ? watch(store, { recursive: true }) : null;
  watcher?.on('change', (_event, name) => {
    if (/^tmp\/|\/\d{5}-/.test(String(name))) begunMs.push(performance.now());
  });
  return {
    firstAfter: (startedMs) => begunMs.find((ms) => ms > startedMs),
    close: () => watcher?.close(),
  };
}

async function measure(room: BytesRoom, store: string, env: Record<string, string>): Promise<Figure[]> {
  const peer = await startPeer('tests/bench/put-server.ts', [join(room.dir, 'peer')], env);
  const person = new GitPerson(room.hub, room.dir, 'admin', room.hub.adminToken);
  const pid = room.hub.serverPid ?? 0;
  const doors: Record<string, () => Promise<Took>> = {
    'hf upload (Xet)': () => room.hfCpu(['upload', 'admin/up-xet', room.folder]),
    'hf upload (whole)': () =>
      room.hfCpu(['upload', 'admin/up-whole', room.folder], { HF_HUB_DISABLE_XET: '1' }),
    'git-lfs push': () => byGit(room, person, 'up-git', false),
    'git-lfs push, multipart agent': () => byGit(room, person, 'up-agent', true),
    tus: () => byTus(room),
  };
  const peerUrl = `http://127.0.0.1:${peer.port}/`;
  const put = async (path = ''): Promise<number> => {
    const { seconds } = await sendBody(peerUrl + path, 'PUT', room, {});
    await fetch(peerUrl, { method: 'DELETE' });
    await cache.settle();
    return seconds;
  };
  const figures: Figure[] = [];
  // What stays: the files of five doors, those of two working copies, one of the peer.
  const spareBytes = room.sizeBytes < 2 ** 30 ? Number.POSITIVE_INFINITY : 8 * room.sizeBytes; // small files: not worth it
  const cache = await PageCache.open(room.dir, spareBytes);
  try {
    await put(); // the first one warms the store up
    for (const [name, door] of Object.entries(doors)) {
      const earlier = await put();
      const before = cpuSeconds(pid);
      const watched = watchStore(room);
      const doorMs = performance.now();
      const { seconds, startedMs = doorMs, clientCpu } = await door().finally(watched.close);
      const serverCpu = cpuSeconds(pid) - before;
      await cache.settle();
      // Disks are not the same from minute to minute.
      const bare = (earlier + (await put())) / 2;
      const hashed = store === 'local' ? await put('hashed') : null; // the S3 server has no room for that many
      const mb = room.sizeBytes / 1e6;
      const sendingSeconds = seconds - ((watched.firstAfter(startedMs) ?? startedMs) - startedMs) / 1000;
      const ofHashed = hashed === null ? '' : `; ${(hashed / seconds).toFixed(2)} × of a PUT that hashes`;
      const client = clientCpu === undefined ? '' : `, the client ${clientCpu.toFixed(1)} s`;
      figures.push({
        name: `${name} / bare PUT, ${store} store`,
        value: bare / seconds,
        unit: '×',
        limit: 0.8,
        good: 'at least',
        detail: `${(mb / seconds).toFixed(0)} against ${(mb / bare).toFixed(0)} MB/s, once it sends ${(bare / sendingSeconds).toFixed(2)} ×${ofHashed}; the server used ${serverCpu.toFixed(1)} core-seconds of ${seconds.toFixed(1)} s${client}`,
      });
    }
  } finally {
    await stopPeer(peer.child);
  }
  return figures;
}

/** The same random bytes by each door against a PUT of them into the same store, the mean of one before and one after each. */
export async function benchUploads(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const store of STORES) {
    const s3 = store === 's3' ? await startRgw() : null;
    const env: Record<string, string> = s3
      ? {
          S3_ENDPOINT: s3.endpoint,
          S3_ACCESS_KEY_ID: s3.accessKeyId,
          S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
          S3_BUCKET: 'bench',
        }
      : {};
    const room = await openBytesRoom(env, s3 ? S3_BYTES : SIZE_BYTES);
    const path = process.env.PATH;
    try {
      // git-lfs starts its agent by the name of `hf`
      const bin = join(room.dir, 'bin');
      await mkdir(bin);
      await symlink(join(dirname(process.env.LARDER_TEST_PYTHON ?? ''), 'hf'), join(bin, 'hf'));
      process.env.PATH = `${bin}${delimiter}${path}`;
      figures.push(...(await measure(room, store, env)));
    } finally {
      process.env.PATH = path;
      await room.close();
      await s3?.stop();
    }
  }
  return figures;
}

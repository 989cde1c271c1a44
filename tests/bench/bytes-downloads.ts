import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { BytesRoom } from './bytes-room.ts';
import { cpuSeconds, median } from './children.ts';
import type { Figure } from './main.ts';
import { startNginx } from './nginx.ts';

const ROUNDS = 5;

interface Round {
  readonly mbPerSecond: number;
  readonly mbPerCpuSecond: number;
}

/** Fetches a URL once with curl; the rate, and what it cost the serving process. */
async function fetchOnce(url: string, token: string, pid: number, sizeBytes: number): Promise<Round> {
  const before = cpuSeconds(pid);
  const format = '%{http_code} %{size_download} %{time_total}';
  const args = ['-sL', '-o', '/dev/null', '-w', format, '-H', `Authorization: Bearer ${token}`, url];
  const child = spawn('curl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data));
  await once(child, 'close');
  const [status, bytes, seconds] = output.split(' ').map(Number) as [number, number, number];
  if (status !== 200 || bytes !== sizeBytes) throw new Error(`${url}: ${output}`);
  const cpu = cpuSeconds(pid) - before;
  return { mbPerSecond: bytes / 1e6 / seconds, mbPerCpuSecond: bytes / 1e6 / Math.max(cpu, 0.01) };
}

/** The same file from the bridge, as a whole object and from nginx, in turns: ratios of one run. */
export async function benchDownloads(room: BytesRoom): Promise<Figure[]> {
  const nginx = await startNginx(room.folder);
  const pid = room.hub.serverPid ?? 0;
  const targets = {
    bridge: [`${room.hub.url}/admin/xet/resolve/main/random.bin`, pid],
    whole: [`${room.hub.url}/admin/whole/resolve/main/random.bin`, pid],
    ...(nginx ? { nginx: [`${nginx.url}/random.bin`, nginx.pid] } : {}),
  } as Record<string, [string, number]>;
  const rounds: Record<string, Round[]> = { bridge: [], whole: [], nginx: [] };
  try {
    for (let round = 0; round <= ROUNDS; round++)
      for (const [name, [url, server]] of Object.entries(targets)) {
        const result = await fetchOnce(url, room.hub.adminToken, server, room.sizeBytes);
        if (round > 0) rounds[name]?.push(result); // the first one warms caches and threads up
      }
  } finally {
    await nginx?.stop();
  }
  const rate = (name: string) => median((rounds[name] ?? []).map((r) => r.mbPerSecond));
  const perCore = (name: string) => median((rounds[name] ?? []).map((r) => r.mbPerCpuSecond));
  const ratio = (name: string) =>
    median((rounds[name] ?? []).map((r, i) => r.mbPerSecond / (rounds.nginx?.[i]?.mbPerSecond ?? Infinity)));
  const detail = (name: string) =>
    `${rate(name).toFixed(0)} MB/s, ${perCore(name).toFixed(0)} MB per core-second; nginx ${rate('nginx').toFixed(0)} MB/s`;
  const figures: Figure[] = [
    {
      name: 'bridge: bytes per core-second of the server',
      value: perCore('bridge'),
      unit: 'MB',
      limit: 400,
      good: 'at least',
      detail: detail('bridge'),
    },
  ];
  if (!nginx) return figures;
  return [
    ...figures,
    {
      name: 'bridge / nginx',
      value: ratio('bridge'),
      unit: '×',
      limit: 0.6,
      good: 'at least',
      detail: 'either this or the figure above',
    },
    {
      name: 'whole object of the local store / nginx',
      value: ratio('whole'),
      unit: '×',
      limit: 0.9,
      good: 'at least',
      detail: detail('whole'),
    },
  ];
}

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
type Server = 'bridge' | 'whole' | 'nginx';
type Client = (url: string, token: string) => [command: string, args: string[]];

/** What people use, and a client that costs nothing, which shows what the server alone can do. */
const CLIENTS: Record<'curl' | 'drain', Client> = {
  curl: (url, token) => {
    const format = '%{http_code} %{size_download} %{time_total}';
    return ['curl', ['-sL', '-o', '/dev/null', '-w', format, '-H', `Authorization: Bearer ${token}`, url]];
  },
  drain: (url, token) => [process.env.LARDER_TEST_PYTHON ?? 'python3', ['tests/bench/drain.py', url, token]],
};

/** Fetches a URL once; the rate, and what it cost the serving process. */
async function fetchOnce(
  [command, args]: [string, string[]],
  pid: number,
  sizeBytes: number,
): Promise<Round> {
  const before = cpuSeconds(pid);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data));
  await once(child, 'close');
  const [status, bytes, seconds] = output.split(' ').map(Number) as [number, number, number];
  if (status !== 200 || bytes !== sizeBytes) throw new Error(`${args.join(' ')}: ${output}`);
  const cpu = cpuSeconds(pid) - before;
  return { mbPerSecond: bytes / 1e6 / seconds, mbPerCpuSecond: bytes / 1e6 / Math.max(cpu, 0.01) };
}

class Rounds {
  readonly #of: Record<Server, Round[]> = { bridge: [], whole: [], nginx: [] };

  add(server: Server, round: Round): void {
    this.#of[server].push(round);
  }

  median(server: Server, what: keyof Round): number {
    return median(this.#of[server].map((round) => round[what]));
  }

  /** Against nginx in the same turn. */
  ratio(server: Server): number {
    const nginx = this.#of.nginx;
    return median(this.#of[server].map((r, i) => r.mbPerSecond / (nginx[i]?.mbPerSecond ?? Infinity)));
  }

  tell(server: Server): string {
    const [rate, perCore] = [this.median(server, 'mbPerSecond'), this.median(server, 'mbPerCpuSecond')];
    return `${server} ${rate.toFixed(0)} MB/s, ${perCore.toFixed(0)} MB per core-second`;
  }
}

/** The same file from the bridge, as a whole object and from nginx, in turns: ratios of one run. */
export async function benchDownloads(room: BytesRoom): Promise<Figure[]> {
  const nginx = await startNginx(room.folder);
  const pid = room.hub.serverPid ?? 0;
  const servers: [Server, string, number][] = [
    ['bridge', `${room.hub.url}/admin/xet/resolve/main/random.bin`, pid],
    ['whole', `${room.hub.url}/admin/whole/resolve/main/random.bin`, pid],
    ...(nginx ? [['nginx', `${nginx.url}/random.bin`, nginx.pid] as [Server, string, number]] : []),
  ];
  const rounds = { curl: new Rounds(), drain: new Rounds() };
  try {
    for (let round = 0; round <= ROUNDS; round++)
      for (const [name, client] of Object.entries(CLIENTS) as ['curl' | 'drain', Client][])
        for (const [server, url, serverPid] of servers) {
          const result = await fetchOnce(client(url, room.hub.adminToken), serverPid, room.sizeBytes);
          if (round > 0) rounds[name].add(server, result); // the first one warms caches and threads up
        }
  } finally {
    await nginx?.stop();
  }
  const { curl, drain } = rounds;
  const tell = (server: Server) =>
    nginx
      ? `${curl.tell(server)}; ${curl.ratio(server).toFixed(2)} × ${curl.tell('nginx')}; to a client that copies nothing ${drain.ratio(server).toFixed(2)} × (${drain.tell(server)}; ${drain.tell('nginx')})`
      : curl.tell(server);
  const bridge: Figure = {
    name: 'bridge: bytes per core-second of the server',
    value: curl.median('bridge', 'mbPerCpuSecond'),
    unit: 'MB',
    limit: 400,
    good: 'at least',
    detail: `or 0.6 × nginx; ${tell('bridge')}`,
  };
  if (!nginx) return [bridge];
  const whole: Figure = {
    name: 'whole object of the local store / nginx',
    value: curl.ratio('whole'),
    unit: '×',
    limit: 0.9,
    good: 'at least',
    detail: tell('whole'),
  };
  return [bridge, whole];
}

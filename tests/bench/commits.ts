import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { startFragileHub } from '../faults/fragile-hub.ts';
import { eventually, pause, seededRandom } from '../faults/nemesis.ts';
import type { Figure } from './main.ts';

const FILES = 1000;
const ROUNDS = 3;
const SINGLE_COMMITS = 200;
const WRITERS = 50;
const WRITE_SECONDS = 60;

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const seconds = async (work: () => unknown): Promise<number> => {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1000;
};

async function call(hub: Hub, path: string, type: string, body: string): Promise<unknown> {
  const res = await fetch(hub.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': type },
    body,
    signal: AbortSignal.timeout(30_000),
  });
  if (!res.ok) throw new Error(`${path}: ${res.status} ${await res.text()}`);
  return res.json();
}

const createRepo = (hub: Hub, name: string) =>
  call(hub, '/api/repos/create', 'application/json', JSON.stringify({ name }));

function commitFiles(hub: Hub, repo: string, files: Iterable<readonly [string, string]>): Promise<unknown> {
  const lines = [{ key: 'header', value: { summary: 'Add files' } } as unknown];
  for (const [path, text] of files)
    lines.push({
      key: 'file',
      value: { path, content: Buffer.from(text).toString('base64'), encoding: 'base64' },
    });
  const body = lines.map((line) => JSON.stringify(line)).join('\n');
  return call(hub, `/api/models/admin/${repo}/commit/main`, 'application/x-ndjson', body);
}

/** A thousand small files in ten folders. */
const manyFiles = (round: number) =>
  Array.from(
    { length: FILES },
    (_, i) => [`d${i % 10}/f${i}.json`, `{"round": ${round}, "n": ${i}}\n`.repeat(20)] as const,
  );

/** The same files by git on this machine: add, commit, push into a bare repo beside it. */
async function gitSeconds(dir: string, round: number): Promise<number> {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=b', '-c', 'user.email=b@b', ...args], {
      cwd: join(dir, 'work'),
      stdio: 'ignore',
      env: { ...process.env, HOME: dir, GIT_CONFIG_NOSYSTEM: '1' },
    });
  for (const [path, text] of manyFiles(round)) {
    mkdirSync(join(dir, 'work', path, '..'), { recursive: true });
    writeFileSync(join(dir, 'work', path), text);
  }
  return seconds(() => {
    git('add', '-A');
    git('commit', '-qm', 'Add files');
    git('push', '-q', '../bare.git', 'HEAD:main');
  });
}

async function oneThousand(hub: Hub): Promise<Figure> {
  const dir = mkdtempSync(join(tmpdir(), 'larder-bench-git-'));
  try {
    execFileSync('git', ['init', '-q', '--bare', join(dir, 'bare.git')]);
    execFileSync('git', ['init', '-q', '-b', 'main', join(dir, 'work')]);
    await createRepo(hub, 'thousand');
    const [ours, gits]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      gits.push(await gitSeconds(dir, round));
      ours.push(await seconds(() => commitFiles(hub, 'thousand', manyFiles(round))));
    }
    return {
      name: 'HTTP commit of 1,000 files / git add, commit, push',
      value: median(ours.map((time, i) => time / (gits[i] ?? 1))),
      unit: '×',
      limit: 1,
      good: 'at most',
      detail: `${(median(ours) * 1000).toFixed(0)} ms against ${(median(gits) * 1000).toFixed(0)} ms`,
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function oneFile(hub: Hub): Promise<Figure> {
  await createRepo(hub, 'single');
  const times: number[] = [];
  for (let i = 0; i < SINGLE_COMMITS; i++)
    times.push(await seconds(() => commitFiles(hub, 'single', [[`f${i % 20}.txt`, `${i}\n`]])));
  return {
    name: 'one-file commit, median',
    value: median(times.slice(SINGLE_COMMITS / 4)) * 1000,
    unit: 'ms',
    limit: 10,
    good: 'at most',
    detail: 'durable, over HTTP, one after the other',
  };
}

/** Fifty writers on one branch for a minute, while server and database are killed at random. */
async function manyWriters(): Promise<Figure[]> {
  const fragile = await startFragileHub({ env: { LOG_LEVEL: 'fatal' } });
  const { hub } = fragile;
  const random = seededRandom(7);
  try {
    await createRepo(hub, 'busy');
    const acked = new Set<string>();
    const untilMs = Date.now() + WRITE_SECONDS * 1000;
    const isOn = () => Date.now() < untilMs;
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; isOn(); n++) {
        const path = `w${writer}/f${n}`;
        while (isOn()) {
          const done = await commitFiles(hub, 'busy', [[path, path]]).then(
            () => true,
            () => false,
          );
          if (done) acked.add(path);
          if (done) break;
          await pause(50);
        }
      }
    };
    const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
    let kills = 0;
    while (Date.now() < untilMs - 12_000) {
      await pause(6_000 + random() * 4_000);
      if (random() < 0.3) await fragile.killPostgres();
      else await hub.kill();
      kills++;
      await eventually(() => fragile.revive());
    }
    await Promise.all(writers);
    const tree = new Set<string>();
    let url: string | undefined = `${hub.url}/api/models/admin/busy/tree/main?recursive=true`;
    while (url) {
      const res: Response = await fetch(url, { headers: { authorization: `Bearer ${hub.adminToken}` } });
      for (const entry of (await res.json()) as { path: string }[]) tree.add(entry.path);
      url = /<([^>]+)>; rel="next"/.exec(res.headers.get('link') ?? '')?.[1];
    }
    const lost = [...acked].filter((path) => !tree.has(path)).length;
    const broken = fragile.check();
    if (broken !== null) throw new Error(broken);
    return [
      {
        name: 'commits a second, 50 writers on one branch',
        value: acked.size / WRITE_SECONDS,
        unit: '/s',
        limit: 25,
        good: 'at least',
        detail: `${acked.size} acknowledged in ${WRITE_SECONDS} s with ${kills} kills; check clean`,
      },
      { name: 'of these lost', value: lost, unit: '', limit: 0, good: 'at most', detail: 'not in the head' },
    ];
  } finally {
    await fragile.stop();
  }
}

/** Commits over HTTP against git itself, and under fire. */
export async function benchCommits(): Promise<Figure[]> {
  const hub = await startHub({ env: { LOG_LEVEL: 'warn' } });
  try {
    return [await oneThousand(hub), await oneFile(hub), ...(await manyWriters())];
  } finally {
    await hub.stop();
  }
}

import { afterEach, describe, expect, test } from 'vitest';
import { type FragileHub, startFragileHub } from './fragile-hub.ts';
import { eventually, pause, seededRandom, seedsAsked } from './nemesis.ts';

const WRITERS = 4;
const KILLS = 5;

interface History {
  /** Paths whose commit was answered with 200, written after the answer. */
  acked: Map<string, string>;
  /** Paths that were sent at least once. */
  sent: Set<string>;
  /** True until the last kill was survived. */
  running: boolean;
}

async function commitFile(url: string, token: string, path: string): Promise<string> {
  const lines = [
    { key: 'header', value: { summary: `Add ${path}` } },
    { key: 'file', value: { path, content: Buffer.from(path).toString('base64'), encoding: 'base64' } },
  ];
  const res = await fetch(`${url}/api/models/admin/acked/commit/main`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
    signal: AbortSignal.timeout(20_000),
  });
  const body = (await res.json()) as { commitOid?: string; error?: string };
  if (res.status !== 200 || !body.commitOid) throw new Error(`${res.status} ${body.error}`);
  return body.commitOid;
}

/** Writes files while the history runs, each sent again until it is acknowledged. */
async function write(fragile: FragileHub, writer: number, history: History): Promise<void> {
  for (let n = 0; history.running; n++) {
    const path = `w${writer}/f${n}.txt`;
    while (history.running) {
      history.sent.add(path);
      try {
        history.acked.set(path, await commitFile(fragile.hub.url, fragile.hub.adminToken, path));
        break;
      } catch {
        await pause(100);
      }
    }
  }
}

async function listAll(fragile: FragileHub): Promise<string[]> {
  const paths: string[] = [];
  let url: string | undefined = `${fragile.hub.url}/api/models/admin/acked/tree/main?recursive=true`;
  while (url) {
    const res: Response = await fetch(url, {
      headers: { authorization: `Bearer ${fragile.hub.adminToken}` },
    });
    if (!res.ok) throw new Error(`tree: ${res.status}`);
    for (const e of (await res.json()) as { type: string; path: string }[])
      if (e.type === 'file') paths.push(e.path);
    url = /<([^>]+)>; rel="next"/.exec(res.headers.get('link') ?? '')?.[1];
  }
  return paths;
}

describe('writers on one branch while server and database are killed', () => {
  let fragile: FragileHub | undefined;
  afterEach(async () => {
    await fragile?.stop();
    fragile = undefined;
  });

  test.each(seedsAsked('1'))(
    'seed %i: every acknowledged file is in the head, nothing unsent is, and check is clean',
    { timeout: 180_000 },
    async (seed) => {
      const random = seededRandom(seed);
      fragile = await startFragileHub({ env: { LOG_LEVEL: 'fatal' } });
      const { hub } = fragile;
      const created = await fetch(`${hub.url}/api/repos/create`, {
        method: 'POST',
        headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'acked' }),
      });
      expect(created.status).toBe(200);

      const history: History = { acked: new Map(), sent: new Set(), running: true };
      const writers = Array.from({ length: WRITERS }, (_, w) => write(fragile as FragileHub, w, history));
      for (let kill = 0; kill < KILLS; kill++) {
        await pause(700 + random() * 1_800);
        const withPostgres = kill === 0 || random() < 0.35;
        if (withPostgres) await fragile.killPostgres();
        if (!withPostgres || random() < 0.5) await hub.kill();
        await eventually(() => (fragile as FragileHub).revive());
      }
      await pause(1_000);
      history.running = false;
      await Promise.all(writers);
      await eventually(() => (fragile as FragileHub).revive());

      const files = new Set(await eventually(() => listAll(fragile as FragileHub)));
      files.delete('.gitattributes');
      expect(history.acked.size).toBeGreaterThan(20);
      expect([...history.acked.keys()].filter((path) => !files.has(path))).toEqual([]);
      expect([...files].filter((path) => !history.sent.has(path))).toEqual([]);
      expect(fragile.check()).toBeNull();
    },
  );
});

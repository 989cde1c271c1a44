import { startHub } from '#tests/support/hub.ts';
import { startPeer, stopPeer } from './children.ts';
import { loadHead } from './load.ts';
import type { Figure } from './main.ts';

const CONNECTIONS = 16;
const SECONDS = 5;
const ROUNDS = 3;

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** HEAD resolve of a small file with a token, against a bare handler doing one indexed query; turns alternate. */
export async function benchResolve(): Promise<Figure[]> {
  const hub = await startHub({ env: { LOG_LEVEL: 'warn' } });
  const bare = await startPeer('tests/bench/bare-server.ts', [], { DATABASE_URL: hub.databaseUrl });
  try {
    const headers = { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' };
    const created = await fetch(`${hub.url}/api/repos/create`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ name: 'bench' }),
    });
    if (!created.ok) throw new Error(`create: ${created.status} ${await created.text()}`);
    const port = Number(new URL(hub.url).port);
    const common = { connections: CONNECTIONS, seconds: SECONDS, expectStatus: 200 };
    const target = {
      port,
      path: '/admin/bench/resolve/main/.gitattributes',
      headers: { Authorization: `Bearer ${hub.adminToken}` },
    };
    await loadHead({ ...common, ...target, seconds: 2 });
    await loadHead({ ...common, port: bare.port, path: '/', seconds: 2 });
    const ours: number[] = [];
    const peers: number[] = [];
    let p50Ms = 0;
    for (let round = 0; round < ROUNDS; round++) {
      peers.push((await loadHead({ ...common, port: bare.port, path: '/' })).requestsPerSecond);
      const result = await loadHead({ ...common, ...target });
      ours.push(result.requestsPerSecond);
      p50Ms = result.p50Ms;
    }
    const ratio = median(ours.map((o, i) => o / (peers[i] ?? 1)));
    const detail = `${median(ours).toFixed(0)}/s (p50 ${p50Ms.toFixed(1)} ms) against ${median(peers).toFixed(0)}/s`;
    return [
      {
        name: 'HEAD resolve / bare one-query handler',
        value: ratio,
        unit: '×',
        limit: 0.5,
        good: 'at least',
        detail,
      },
    ];
  } finally {
    await stopPeer(bare.child);
    await hub.stop();
  }
}

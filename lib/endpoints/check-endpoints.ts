import { setTimeout as sleep } from 'node:timers/promises';
import type { App } from '#lib/identity/context.ts';
import type { Driver, FoundEngine } from './drivers/driver.ts';

/** A worker needs at most this long to mend what it sees; what lasts longer is a problem. */
const SETTLE_MS = 6_000;

interface ReplicaRow {
  id: string;
  endpoint: string;
  state: string;
  node: string;
  desired: string;
}

/**
 * Proves that what runs is what should run, as far as this node can see: no engine without an endpoint, no
 * endpoint with two engines or said to be ready without one. Yields each problem that lasts longer than a worker
 * needs to mend it, as one line. The hub may be in use meanwhile; with no worker running nothing gets mended.
 */
export async function* checkEndpoints(app: Pick<App, 'db'>, driver: Driver): AsyncGenerator<string> {
  const first = await look(app, driver);
  if (first.length === 0) return;
  await sleep(SETTLE_MS);
  const second = new Set(await look(app, driver));
  yield* first.filter((problem) => second.has(problem));
}

async function look(app: Pick<App, 'db'>, driver: Driver): Promise<string[]> {
  const engines = (await driver.observe()).filter((e) => e.alive);
  const replicas = await liveReplicas(app);
  const { rows: unserved } = await app.db.query<{ endpoint: string }>(
    `SELECT n.name || '/' || e.name AS endpoint FROM endpoint e JOIN namespace n ON n.id = e.namespace_id
      WHERE e.state = 'ready' AND e.desired = 'running'
        AND NOT EXISTS (SELECT 1 FROM replica x WHERE x.endpoint_id = e.id AND x.state = 'ready') ORDER BY 1`,
  );
  return [
    ...engines.flatMap((engine) => problemOfEngine(engine, replicas)),
    ...twins(engines),
    ...replicas.flatMap((replica) => problemOfReplica(replica, engines, driver.node)),
    ...unserved.map(({ endpoint }) => `endpoint ${endpoint}: ready without a replica that is`),
  ];
}

async function liveReplicas(app: Pick<App, 'db'>): Promise<ReplicaRow[]> {
  const { rows } = await app.db.query<ReplicaRow>(
    `SELECT x.id, n.name || '/' || e.name AS endpoint, x.state, x.node, e.desired
       FROM replica x JOIN endpoint e ON e.id = x.endpoint_id JOIN namespace n ON n.id = e.namespace_id
      WHERE x.state <> 'exited' ORDER BY x.id`,
  );
  return rows;
}

function problemOfEngine(engine: FoundEngine, replicas: readonly ReplicaRow[]): string[] {
  if (replicas.some((replica) => replica.id === engine.replicaId)) return [];
  return [`engine ${engine.replicaId} (pid ${engine.pid}): runs without an endpoint that wants it`];
}

function twins(engines: readonly FoundEngine[]): string[] {
  const counts = new Map<string, number>();
  for (const { endpointId } of engines) counts.set(endpointId, (counts.get(endpointId) ?? 0) + 1);
  return [...counts].flatMap(([id, n]) => (n > 1 && id !== '' ? [`endpoint ${id}: ${n} engines run`] : []));
}

function problemOfReplica(replica: ReplicaRow, engines: readonly FoundEngine[], node: string): string[] {
  const { endpoint, id, state, desired } = replica;
  if (desired !== 'running') return [`endpoint ${endpoint}: ${desired}, but replica ${id} is ${state}`];
  const shouldRun = replica.node === node && (state === 'starting' || state === 'ready');
  if (!shouldRun || engines.some((engine) => engine.replicaId === id)) return [];
  return [`endpoint ${endpoint}: replica ${id} is said to be ${state}, but no engine runs`];
}

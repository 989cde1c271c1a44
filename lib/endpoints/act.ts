import { failpoint } from '#lib/base/failpoint.ts';
import type { App } from '#lib/identity/context.ts';
import type { EndpointRecord } from './db.ts';
import type { Action } from './decide.ts';
import type { Driver } from './drivers/driver.ts';
import { engineToken } from './engine-token.ts';
import { addLogLines, addStateEvent, lastLogLines, notifyChange } from './events.ts';
import { fenced, type Lease } from './lease.ts';
import { type Pull, startPull } from './pull-weights.ts';
import {
  insertReplica,
  markExited,
  markProgress,
  markPulling,
  markReady,
  markStarting,
  markStopping,
} from './replica-db.ts';
import type { ObservedEngine } from './types.ts';
import type { WeightsCache } from './weights-cache.ts';

/** What acting needs beside the app: made once per reconciler. */
export interface Hands {
  readonly driver: Driver;
  readonly cache: WeightsCache;
  /** Background work of this worker, by replica. */
  readonly pulls: Map<string, Pull>;
  readonly stops: Map<string, Promise<void>>;
  /** Look again soon. */
  readonly wake: () => void;
}

export interface Scene {
  readonly lease: Lease;
  readonly endpoint: EndpointRecord;
  readonly engines: readonly ObservedEngine[];
}

const GRACE_MS = 8_000;

/**
 * Does one action of decide(). Database writes are fenced by the lease and by what was decided on; the outside is
 * touched only through the driver's idempotent calls. Throws Outdated when the world moved on: then look again.
 */
export async function act(app: App, hands: Hands, scene: Scene, action: Action): Promise<void> {
  const { lease, endpoint } = scene;
  const write = <T>(work: Parameters<typeof fenced<T>>[3]) => fenced(app.db, lease, endpoint, work);
  switch (action.do) {
    case 'open':
      return write((tx) => insertReplica(tx, endpoint.id, endpoint.generation, hands.driver.node));
    case 'pull':
      if (!hands.pulls.has(action.replicaId))
        hands.pulls.set(action.replicaId, startPull(app, hands.cache, endpoint, hands.wake));
      return;
    case 'start':
      return start(app, hands, scene, action.replicaId);
    case 'markReady': {
      const engine = scene.engines.find((e) => e.replicaId === action.replicaId);
      if (!engine?.url) return;
      const { url, pid } = engine;
      return write((tx) => markReady(tx, action.replicaId, url, pid));
    }
    case 'stop':
      await write((tx) => markStopping(tx, action.replicaId));
      stopInBackground(app, hands, endpoint.id, action.replicaId);
      return;
    case 'close':
      cancelPull(hands, action.replicaId);
      return write((tx) => markExited(tx, action.replicaId, null));
    case 'crashed':
      return recordCrash(app, hands, scene, action);
    case 'forgive':
      return write(
        async (tx) => void (await tx.query('UPDATE endpoint SET failures = 0 WHERE id = $1', [endpoint.id])),
      );
    case 'state':
      return writeState(app, hands, scene, action);
    case 'erase':
      return write(async (tx) => {
        await tx.query('DELETE FROM endpoint WHERE id = $1', [endpoint.id]);
        await notifyChange(tx, endpoint.id, { wanted: false });
      });
  }
}

async function start(app: App, hands: Hands, scene: Scene, replicaId: string): Promise<void> {
  const { lease, endpoint } = scene;
  const modelPath = await hands.cache.find(endpoint.sha256);
  if (modelPath === null) {
    hands.pulls.delete(replicaId);
    return fenced(app.db, lease, endpoint, (tx) => markPulling(tx, replicaId));
  }
  await fenced(app.db, lease, endpoint, (tx) => markStarting(tx, replicaId));
  hands.pulls.delete(replicaId);
  await failpoint('endpoint.before-start');
  await hands.driver.start({
    replicaId,
    endpointId: endpoint.id,
    generation: endpoint.generation,
    engine: endpoint.engine,
    modelPath,
    modelName: `${endpoint.namespace}/${endpoint.name}`,
    spec: endpoint.spec,
    token: engineToken(app, replicaId),
  });
  await failpoint('endpoint.after-start');
}

/** Ends an engine and forgets it, without making the reconciler wait. At most one at work per replica. */
export function stopInBackground(app: App, hands: Hands, endpointId: string, replicaId: string): void {
  if (hands.stops.has(replicaId)) return;
  const work = async () => {
    try {
      await hands.driver.stop(replicaId, GRACE_MS);
      if (endpointId !== '') await takeLog(app, hands.driver, endpointId, replicaId);
      await hands.driver.forget(replicaId);
    } catch (error) {
      app.log.error({ err: error, replica: replicaId }, 'engine could not be stopped; trying again');
    } finally {
      hands.stops.delete(replicaId);
      hands.wake();
    }
  };
  hands.stops.set(replicaId, work());
}

/** Moves what the engine printed since the last look into the endpoint's log. */
export async function takeLog(
  app: App,
  driver: Driver,
  endpointId: string,
  replicaId: string,
): Promise<void> {
  await driver.takeLog(replicaId, async (lines) => {
    await addLogLines(app.db, endpointId, lines);
    await notifyChange(app.db, endpointId, { wanted: false });
  });
}

function cancelPull(hands: Hands, replicaId: string): void {
  hands.pulls.get(replicaId)?.cancel();
  hands.pulls.delete(replicaId);
}

async function recordCrash(
  app: App,
  hands: Hands,
  scene: Scene,
  action: Extract<Action, { do: 'crashed' }>,
): Promise<void> {
  const { lease, endpoint } = scene;
  const { replicaId, exit, fatal } = action;
  const engineRan = scene.engines.some((e) => e.replicaId === replicaId);
  if (engineRan) await takeLog(app, hands.driver, endpoint.id, replicaId);
  cancelPull(hands, replicaId);
  const lines = engineRan ? await lastLogLines(app.db, endpoint.id, 5) : [];
  const message = humanMessage(endpoint, action.reason, lines);
  await fenced(app.db, lease, endpoint, async (tx) => {
    await markExited(tx, replicaId, exit?.code ?? null);
    await tx.query(
      `UPDATE endpoint SET failures = failures + 1, not_before = $2, state = $3, message = $4, updated_at = now()
        WHERE id = $1`,
      [endpoint.id, new Date(action.notBeforeMs), fatal ? 'failed' : 'pending', message],
    );
    await addStateEvent(tx, endpoint.id, fatal ? 'failed' : 'pending', message);
    await notifyChange(tx, endpoint.id, { wanted: false });
  });
}

const LOADING_FAILED = 'cannot load the model: ';

/** What happened, with the engine's own last words where they explain it. */
function humanMessage(endpoint: EndpointRecord, reason: string, lastLines: readonly string[]): string {
  const loading = lastLines.findLast((line) => line.startsWith(LOADING_FAILED));
  if (loading)
    return `${endpoint.path} cannot be loaded: ${loading.slice(LOADING_FAILED.length)}`.slice(0, 1_000);
  const last = lastLines.findLast((line) => /assert|error|fail|abort/i.test(line)) ?? lastLines.at(-1);
  return (last ? `${reason}; its last words: ${last}` : reason).slice(0, 1_000);
}

async function writeState(
  app: App,
  hands: Hands,
  scene: Scene,
  action: Extract<Action, { do: 'state' }>,
): Promise<void> {
  const { lease, endpoint } = scene;
  await fenced(app.db, lease, endpoint, async (tx) => {
    await tx.query('UPDATE endpoint SET state = $2, message = $3, updated_at = now() WHERE id = $1', [
      endpoint.id,
      action.state,
      action.message,
    ]);
    const pull = endpoint.replica && hands.pulls.get(endpoint.replica.id)?.status;
    if (endpoint.replica && pull?.status === 'running' && pull.totalBytes > 0)
      await markProgress(tx, endpoint.replica.id, pull.doneBytes, pull.totalBytes);
    if (action.state !== endpoint.state) await addStateEvent(tx, endpoint.id, action.state, action.message);
    await notifyChange(tx, endpoint.id, { wanted: false });
  });
}

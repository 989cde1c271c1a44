import type { App } from '#lib/identity/context.ts';
import { act, type Hands, type Scene, stopInBackground, takeLog } from './act.ts';
import { type EndpointRecord, findEndpointsById, WANTED_CHANNEL } from './db.ts';
import { type Action, decide } from './decide.ts';
import type { Driver, FoundEngine } from './drivers/driver.ts';
import { engineToken } from './engine-token.ts';
import { notifyChange } from './events.ts';
import { fenced, type Lease, Outdated, otherHolders, releaseLeases, takeLeases } from './lease.ts';
import { probeEngine } from './probe-engine.ts';
import { findLiveReplicas, heartbeat, markExited, weightsInUse } from './replica-db.ts';
import { subscribe } from './subscribe.ts';
import type { ObservedEngine, Replica } from './types.ts';
import type { WeightsCache } from './weights-cache.ts';
import { isDeadHere, nameWorker } from './worker-identity.ts';

export interface Reconciler {
  /** Ends all rounds. Unless `leaveEngines`, also every engine of this worker, in order. */
  stop(options: { leaveEngines: boolean }): Promise<void>;
  /** When the last round ended without error, in ms since the epoch; for the health check. */
  lastRoundMs(): number;
}

const RESYNC_MS = 2_000;
/** While something is on its way. */
const BUSY_MS = 150;
const EVICT_MS = 60_000;

/**
 * Makes what runs agree with what should run, for ever: a round at every wake-up (NOTIFY, an engine's end, a
 * finished pull) and at least every 2 s. Any number of workers may do this; each endpoint is acted on by the one
 * that holds its lease. Nothing is remembered that cannot be observed again after a crash.
 */
export function startReconciler(app: App, driver: Driver, cache: WeightsCache): Reconciler {
  const round = new Rounds(app, driver, cache);
  void round.run();
  return round;
}

class Rounds implements Reconciler {
  readonly #app: App;
  readonly #hands: Hands;
  #owner = '';
  readonly #silentSince = new Map<string, number>();
  readonly #unsubscribe: () => void;
  #isStopping = false;
  #isWoken = false;
  #wakeUp: () => void = () => {};
  #ended: Promise<void> = Promise.resolve();
  #lastRoundMs: number;
  #lastEvictMs = 0;

  constructor(app: App, driver: Driver, cache: WeightsCache) {
    this.#app = app;
    this.#hands = { driver, cache, pulls: new Map(), stops: new Map(), wake: () => this.#wake() };
    this.#lastRoundMs = app.clock.now();
    driver.onExit(() => this.#wake());
    this.#unsubscribe = subscribe(app, WANTED_CHANNEL, () => this.#wake());
  }

  lastRoundMs(): number {
    return this.#lastRoundMs;
  }

  run(): Promise<void> {
    this.#ended = this.#loop();
    return this.#ended;
  }

  async stop(options: { leaveEngines: boolean }): Promise<void> {
    this.#isStopping = true;
    this.#unsubscribe();
    this.#wake();
    await this.#ended;
    for (const pull of this.#hands.pulls.values()) pull.cancel();
    if (!options.leaveEngines) await this.#endEngines();
    await Promise.all(this.#hands.stops.values());
    await releaseLeases(this.#app.db, this.#owner).catch(() => {});
  }

  async #loop(): Promise<void> {
    this.#owner = await nameWorker(this.#hands.driver.node);
    while (!this.#isStopping) {
      this.#isWoken = false;
      let waitMs = RESYNC_MS;
      try {
        waitMs = await this.#round();
        this.#lastRoundMs = this.#app.clock.now();
      } catch (error) {
        this.#app.log.error({ err: error }, 'reconciler round failed; trying again');
      }
      await this.#sleep(waitMs);
    }
  }

  #wake(): void {
    this.#isWoken = true;
    this.#wakeUp();
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#isWoken || this.#isStopping || ms === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  /** Looks at everything once and acts; returns how long to wait for the next look. */
  async #round(): Promise<number> {
    const { db } = this.#app;
    const { driver } = this.#hands;
    const found = await driver.observe(); // before the rows: an engine is never there without a row written earlier
    await heartbeat(db, driver.node);
    await this.#inherit();
    const leases = await takeLeases(db, this.#owner, driver.node, endpointIdsOf(found));
    const ids = leases.map((l) => l.endpointId);
    const endpoints = await findEndpointsById(db, ids);
    const replicas = await findLiveReplicas(db, [...new Set([...ids, ...endpointIdsOf(found)])]);
    await this.#sweepUnowned(found, replicas);
    const waits = await Promise.all(
      endpoints.map((endpoint) => {
        const lease = leases.find((l) => l.endpointId === endpoint.id) as Lease;
        return this.#reconcile(lease, endpoint, replicas, found);
      }),
    );
    await this.#evict();
    return Math.min(RESYNC_MS, ...waits, this.#hands.stops.size > 0 ? BUSY_MS : RESYNC_MS);
  }

  async #reconcile(
    lease: Lease,
    endpoint: EndpointRecord,
    allReplicas: readonly Replica[],
    found: readonly FoundEngine[],
  ): Promise<number> {
    const replicas = allReplicas.filter((r) => r.endpointId === endpoint.id);
    const engines = await Promise.all(
      found
        .filter((e) => e.endpointId === endpoint.id)
        .map((e) =>
          this.#probe(
            e,
            replicas.find((r) => r.id === e.replicaId),
          ),
        ),
    );
    for (const engine of engines)
      if (!this.#hands.stops.has(engine.replicaId))
        await takeLog(this.#app, this.#hands.driver, endpoint.id, engine.replicaId);
    const actions = decide({
      nowMs: this.#app.clock.now(),
      node: this.#hands.driver.node,
      endpoint,
      replicas,
      engines,
      pulls: new Map([...this.#hands.pulls].map(([id, pull]) => [id, pull.status])),
    });
    return this.#perform({ lease, endpoint, engines }, actions);
  }

  async #perform(scene: Scene, actions: readonly Action[]): Promise<number> {
    try {
      for (const action of actions) {
        if (action.do !== 'state') this.#app.log.info({ endpoint: scene.endpoint.id, ...action }, 'endpoint');
        await act(this.#app, this.#hands, scene, action);
      }
    } catch (error) {
      if (error instanceof Outdated) return 0;
      this.#app.log.error(
        { err: error, endpoint: scene.endpoint.id },
        'endpoint: action failed; trying again',
      );
      return RESYNC_MS;
    }
    if (actions.some((a) => a.do !== 'state' && a.do !== 'stop')) return 0;
    const { state, desired, replica } = scene.endpoint;
    const underway = desired === 'running' && replica !== null && state !== 'ready' && state !== 'failed';
    return underway || actions.length > 0 ? BUSY_MS : RESYNC_MS;
  }

  async #probe(engine: FoundEngine, replica: Replica | undefined): Promise<ObservedEngine> {
    const { replicaId, url } = engine;
    const ready =
      engine.alive && url !== null && (await probeEngine(url, replicaId, engineToken(this.#app, replicaId)));
    const wasReady = replica?.state === 'ready';
    if (ready || !wasReady) this.#silentSince.delete(replicaId);
    else if (!this.#silentSince.has(replicaId)) this.#silentSince.set(replicaId, this.#app.clock.now());
    return {
      ...engine,
      health: ready ? 'ready' : wasReady ? 'silent' : 'loading',
      silentSinceMs: this.#silentSince.get(replicaId) ?? null,
    };
  }

  /** Engines whose endpoint is gone from the database, or that no record explains: nobody else will end them. */
  async #sweepUnowned(found: readonly FoundEngine[], replicas: readonly Replica[]): Promise<void> {
    const suspects = found.filter((e) => !replicas.some((r) => r.id === e.replicaId));
    if (suspects.length === 0) return;
    const known = await findEndpointsById(this.#app.db, endpointIdsOf(suspects));
    for (const engine of suspects) {
      if (known.some((e) => e.id === engine.endpointId)) continue; // its endpoint's round ends it
      if (this.#hands.stops.has(engine.replicaId)) continue;
      this.#app.log.warn(
        { replica: engine.replicaId, pid: engine.pid },
        'engine without an endpoint: stopping it',
      );
      stopInBackground(this.#app, this.#hands, '', engine.replicaId);
    }
  }

  /** What a worker that died here had in hand is free at once. */
  async #inherit(): Promise<void> {
    for (const holder of await otherHolders(this.#app.db, this.#owner))
      if (await isDeadHere(holder, this.#hands.driver.node)) await releaseLeases(this.#app.db, holder);
  }

  async #evict(): Promise<void> {
    const nowMs = this.#app.clock.now();
    if (nowMs - this.#lastEvictMs < EVICT_MS) return;
    this.#lastEvictMs = nowMs;
    await this.#hands.cache.evict(await weightsInUse(this.#app.db));
  }

  /** Orderly end of the worker: no engine without a worker, and rows that say so. */
  async #endEngines(): Promise<void> {
    const { db } = this.#app;
    const { driver } = this.#hands;
    const found = await driver.observe();
    const leases = await takeLeases(db, this.#owner, driver.node, endpointIdsOf(found));
    for (const endpoint of await findEndpointsById(
      db,
      leases.map((l) => l.endpointId),
    )) {
      const lease = leases.find((l) => l.endpointId === endpoint.id) as Lease;
      const { replica } = endpoint;
      if (replica) await this.#suspend(lease, endpoint, replica.id).catch(() => {});
      for (const engine of found)
        if (engine.endpointId === endpoint.id)
          stopInBackground(this.#app, this.#hands, endpoint.id, engine.replicaId);
    }
  }

  async #suspend(lease: Lease, endpoint: EndpointRecord, replicaId: string): Promise<void> {
    await fenced(this.#app.db, lease, endpoint, async (tx) => {
      await markExited(tx, replicaId, null);
      if (endpoint.desired === 'running' && endpoint.state !== 'failed')
        await tx.query(
          `UPDATE endpoint SET state = 'pending', message = 'waiting for a worker', updated_at = now() WHERE id = $1`,
          [endpoint.id],
        );
      await notifyChange(tx, endpoint.id, { wanted: true });
    });
  }
}

const endpointIdsOf = (engines: readonly FoundEngine[]) => [
  ...new Set(engines.map((e) => e.endpointId).filter((id) => id !== '')),
];

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Oid, RepoId, Sha256 } from '#lib/base/ids.ts';
import { type Action, decide, LIMITS, type PullStatus, progressText } from '#lib/endpoints/decide.ts';
import type { Endpoint, EngineExit, ObservedEngine, Replica } from '#lib/endpoints/types.ts';

const ENDPOINT: Endpoint = {
  id: 'e',
  namespaceId: 'n',
  namespace: 'acme',
  name: 'm',
  repoId: 1 as RepoId,
  commitOid: 'c' as Oid,
  path: 'm.gguf',
  sha256: 's' as Sha256,
  engine: 'llama-cpp-node',
  spec: { contextSize: 4096, parallel: 2 },
  desired: 'running',
  generation: 1,
  state: 'pending',
  message: '',
  failures: 0,
  notBeforeMs: null,
};

type SimEngine = ObservedEngine & { injected: boolean };
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The outside world: a database, processes and a clock, with every fault that may come between. */
class Simulation {
  nowMs = 1_000_000;
  endpoint: Mutable<Endpoint> = { ...ENDPOINT };
  rows = new Map<string, Mutable<Replica>>();
  engines = new Map<string, Mutable<SimEngine>>();
  pulls = new Map<string, PullStatus>();
  erased = false;
  #ids = 0;

  decide(): Action[] {
    if (this.erased) return [];
    const replicas = [...this.rows.values()].filter((r) => r.state !== 'exited');
    const engines = [...this.engines.values()];
    return decide({
      nowMs: this.nowMs,
      node: 'here',
      endpoint: this.endpoint,
      replicas,
      engines,
      pulls: this.pulls,
    });
  }

  /** One round of the reconciler; with `cut`, its worker dies after that many actions. */
  tick(cut = Number.POSITIVE_INFINITY): Action[] {
    const actions = this.decide();
    actions.slice(0, cut).forEach((action) => this.apply(action));
    if (cut < actions.length) this.pulls.clear();
    this.check();
    return actions;
  }

  apply(action: Action): void {
    switch (action.do) {
      case 'open':
        return this.open();
      case 'pull':
        return void this.pulls.set(action.replicaId, { status: 'running', doneBytes: 0, totalBytes: 9 });
      case 'start':
        return this.start(action.replicaId);
      case 'markReady':
        return void Object.assign(this.row(action.replicaId), { state: 'ready', readyAtMs: this.nowMs });
      case 'stop':
        return void this.engines.delete(action.replicaId);
      case 'close':
        this.row(action.replicaId).state = 'exited';
        return;
      case 'crashed':
        this.row(action.replicaId).state = 'exited';
        this.endpoint.failures++;
        this.endpoint.notBeforeMs = action.notBeforeMs;
        this.endpoint.state = action.fatal ? 'failed' : 'pending';
        this.endpoint.message = action.reason;
        return;
      case 'forgive':
        this.endpoint.failures = 0;
        return;
      case 'state':
        this.endpoint.state = action.state;
        this.endpoint.message = action.message;
        return;
      case 'erase':
        expect(this.engines.size).toBe(0);
        this.erased = true;
        return;
    }
  }

  private row(id: string): Mutable<Replica> {
    const row = this.rows.get(id);
    if (!row) throw new Error(`no row ${id}`);
    return row;
  }

  private open(): void {
    const { generation } = this.endpoint;
    const id = `r${++this.#ids}`;
    const same = [...this.rows.values()].some((r) => r.state !== 'exited' && r.generation === generation);
    expect(same).toBe(false); // the database would refuse it: the reconciler must not even try
    this.rows.set(id, {
      id,
      endpointId: 'e',
      generation,
      node: 'here',
      state: 'pulling',
      startedAtMs: this.nowMs,
      readyAtMs: null,
      seenAtMs: this.nowMs,
    });
  }

  private start(id: string): void {
    const row = this.row(id);
    Object.assign(row, { state: 'starting', startedAtMs: this.nowMs });
    if (!this.engines.has(id)) this.engines.set(id, this.newEngine(id, row.generation, false));
  }

  newEngine(replicaId: string, generation: number, injected: boolean): Mutable<SimEngine> {
    return {
      replicaId,
      endpointId: 'e',
      generation,
      alive: true,
      pid: 1,
      url: 'http://127.0.0.1:1',
      health: 'loading',
      silentSinceMs: null,
      exit: null,
      injected,
    };
  }

  check(): void {
    const live = [...this.rows.values()].filter((r) => r.state !== 'exited');
    const generations = live.map((r) => r.generation);
    expect(new Set(generations).size).toBe(generations.length);
    expect([...this.engines.values()].filter((e) => e.alive && !e.injected).length).toBeLessThanOrEqual(1);
  }

  /** No more faults: weights arrive, engines load, time passes. */
  settle(): void {
    for (let i = 0; i < 60; i++) {
      this.nowMs += 400_000;
      for (const row of this.rows.values()) row.seenAtMs = this.nowMs;
      for (const id of this.pulls.keys()) this.pulls.set(id, { status: 'done' });
      for (const engine of this.engines.values())
        Object.assign(engine, { health: 'ready', silentSinceMs: null });
      this.tick();
    }
  }
}

const EXITS: EngineExit[] = [
  { code: 1, signal: null },
  { code: null, signal: 'SIGKILL' },
  { code: null, signal: 'SIGABRT' },
  { code: 78, signal: null },
];

type Event = (s: Simulation) => void;

const event: fc.Arbitrary<Event> = fc.oneof(
  fc.constant<Event>((s) => s.tick()),
  fc.constant<Event>((s) => s.tick()),
  fc.nat(3).map(
    (cut): Event =>
      (s) =>
        s.tick(cut),
  ),
  fc.constantFrom('running' as const, 'stopped' as const).map(
    (desired): Event =>
      (s) => {
        if (s.endpoint.desired === 'deleted') return;
        s.endpoint.desired = desired;
        if (desired === 'running')
          Object.assign(s.endpoint, {
            generation: s.endpoint.generation + 1,
            state: 'pending',
            failures: 0,
            notBeforeMs: null,
          });
      },
  ),
  fc.constant<Event>((s) => {
    s.endpoint.desired = 'deleted';
  }),
  fc.nat(20_000).map(
    (ms): Event =>
      (s) =>
        void (s.nowMs += ms),
  ),
  fc.constantFrom(...EXITS).map(
    (exit): Event =>
      (s) =>
        s.engines.forEach((e) => Object.assign(e, { alive: false, exit })),
  ),
  fc.constant<Event>((s) => s.engines.forEach((e) => Object.assign(e, { health: 'ready' }))),
  fc.constant<Event>((s) => {
    for (const e of s.engines.values())
      Object.assign(e, { health: 'silent', silentSinceMs: s.nowMs - 61_000 });
  }),
  fc
    .constantFrom<PullStatus>(
      { status: 'done' },
      { status: 'failed', reason: 'lost', fatal: false },
      { status: 'failed', reason: 'not a GGUF', fatal: true },
    )
    .map(
      (status): Event =>
        (s) =>
          s.pulls.forEach((_, id) => s.pulls.set(id, status)),
    ),
  fc.constant<Event>((s) => {
    if (!s.erased) s.engines.set('stray', s.newEngine('stray', 0, true));
  }),
);

describe('decide', () => {
  it('from any history of faults ends where desired says, with one engine or none, and then rests', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const s = new Simulation();
        for (const happen of events) {
          happen(s);
          if (!s.erased) s.check();
        }
        s.settle();
        if (s.endpoint.desired === 'deleted') {
          expect(s.erased).toBe(true);
          return;
        }
        expect(s.decide()).toEqual([]);
        const alive = [...s.engines.values()].filter((e) => e.alive);
        const live = [...s.rows.values()].filter((r) => r.state !== 'exited');
        if (s.endpoint.desired === 'running' && s.endpoint.state !== 'failed') {
          expect(s.endpoint.state).toBe('ready');
          expect([alive.length, live.length]).toEqual([1, 1]);
        } else {
          expect(['stopped', 'failed']).toContain(s.endpoint.state);
          expect([alive.length, live.length]).toEqual([0, 0]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('waits longer after each crash, then gives up after five', () => {
    const s = new Simulation();
    const waits: number[] = [];
    for (let i = 0; i < LIMITS.crashes; i++) {
      s.tick(); // open
      s.pulls.set([...s.rows.keys()].at(-1) ?? '', { status: 'done' });
      s.tick(); // start
      s.engines.forEach((e) => Object.assign(e, { alive: false, exit: { code: 1, signal: null } }));
      s.tick(); // crashed
      waits.push((s.endpoint.notBeforeMs ?? 0) - s.nowMs);
      s.tick(); // forget the dead
      if (i < LIMITS.crashes - 1) {
        expect(s.decide()).toEqual([]);
        s.nowMs = s.endpoint.notBeforeMs ?? 0;
      }
    }
    expect(waits.slice(0, 4)).toEqual([5000, 10_000, 20_000, 40_000]);
    expect(s.endpoint).toMatchObject({ state: 'failed', failures: 5 });
    s.nowMs += 1e9;
    expect(s.decide()).toEqual([]);
  });

  it('gives up at once on a file the engine calls unusable, and at the second abort while loading', () => {
    const outcome = (exit: EngineExit, failures: number) => {
      const s = new Simulation();
      s.endpoint.failures = failures;
      s.tick();
      s.pulls.set('r1', { status: 'done' });
      s.tick();
      s.engines.forEach((e) => Object.assign(e, { alive: false, exit }));
      s.tick();
      return s.endpoint.state;
    };
    expect(outcome({ code: 78, signal: null }, 0)).toBe('failed');
    expect(outcome({ code: null, signal: 'SIGABRT' }, 0)).toBe('pending');
    expect(outcome({ code: null, signal: 'SIGABRT' }, 1)).toBe('failed');
    expect(outcome({ code: 134, signal: null }, 1)).toBe('failed');
    expect(outcome({ code: null, signal: 'SIGKILL' }, 1)).toBe('pending');
  });

  it('leaves a replica on another node alone while that node lives, and replaces it when it is lost', () => {
    const s = new Simulation();
    s.tick();
    const row = s.rows.get('r1');
    if (!row) throw new Error('no row');
    row.node = 'there';
    row.state = 'ready';
    expect(s.decide()).toEqual([]);
    s.nowMs += LIMITS.nodeLostMs + 1;
    expect(s.decide()).toMatchObject([{ do: 'crashed', reason: expect.stringContaining('node') }]);
  });

  it('says progress in the units people read', () => {
    expect(progressText(61_400_000, 145_000_000)).toBe('pulling 61 / 145 MB');
    expect(progressText(512_000, 1_400_000)).toBe('pulling 0.5 / 1.4 MB');
    expect(progressText(3_100_000_000, 14_900_000_000)).toBe('pulling 3.1 / 14.9 GB');
  });
});

import type { Endpoint, EndpointState, EngineExit, ObservedEngine, Replica } from './types.ts';

/** How far the weights of a replica are, in this worker. */
export type PullStatus =
  | { readonly status: 'running'; readonly doneBytes: number; readonly totalBytes: number }
  | { readonly status: 'done' }
  | { readonly status: 'failed'; readonly reason: string; readonly fatal: boolean };

export interface World {
  readonly nowMs: number;
  /** This worker's node; engines elsewhere cannot be seen from here. */
  readonly node: string;
  readonly endpoint: Endpoint;
  /** Live rows only. */
  readonly replicas: readonly Replica[];
  /** Every engine of this endpoint on this node, dead or alive. */
  readonly engines: readonly ObservedEngine[];
  readonly pulls: ReadonlyMap<string, PullStatus>;
}

/** Each is idempotent: done twice, or cut short by a crash and decided again, it ends the same. */
export type Action =
  /** Insert a live row of the current generation on this node. */
  | { readonly do: 'open' }
  /** Bring the weights to this node, in the background. */
  | { readonly do: 'pull'; readonly replicaId: string }
  | { readonly do: 'start'; readonly replicaId: string }
  | { readonly do: 'markReady'; readonly replicaId: string }
  /** End the process if it lives, and forget it. In the background. */
  | { readonly do: 'stop'; readonly replicaId: string }
  /** The row ends in order. */
  | { readonly do: 'close'; readonly replicaId: string }
  /** The row ends by fault: count it, and wait or give up. */
  | {
      readonly do: 'crashed';
      readonly replicaId: string;
      readonly reason: string;
      readonly exit: EngineExit | null;
      readonly fatal: boolean;
      readonly notBeforeMs: number;
    }
  /** It ran long enough: earlier crashes no longer count. */
  | { readonly do: 'forgive' }
  | { readonly do: 'state'; readonly state: EndpointState; readonly message: string }
  /** Remove the endpoint's row and all that hangs on it. */
  | { readonly do: 'erase' };

export const LIMITS = {
  /** Crashes in a row before giving up. */
  crashes: 5,
  startMs: 600_000,
  silentMs: 60_000,
  nodeLostMs: 30_000,
  forgiveMs: 600_000,
  backoffMs: (failures: number) => Math.min(300, 5 * 2 ** failures) * 1000,
} as const;

/** What engines exit with when the model file itself is unusable (BSD's EX_CONFIG): trying again is useless. */
const EXIT_MODEL_UNUSABLE = 78;
const FAULT_SIGNALS = new Set(['SIGABRT', 'SIGSEGV', 'SIGILL', 'SIGBUS', 'SIGFPE']);

/**
 * The whole judgement of the reconciler, pure: from what should be and what is, what to do next. Deciding again
 * after the actions were done, or half done, leads to the same end; at the end it returns nothing.
 */
export function decide(world: World): Action[] {
  const { endpoint } = world;
  const wanted = endpoint.desired === 'running' && endpoint.state !== 'failed';
  const current = wanted ? world.replicas.find((r) => r.generation === endpoint.generation) : undefined;
  const strays = world.engines.filter((e) => e.replicaId !== current?.id);
  const leftovers = world.replicas.filter((r) => r !== current);
  const actions: Action[] = [
    ...strays.map((e): Action => ({ do: 'stop', replicaId: e.replicaId })),
    ...leftovers.flatMap((r) => endLeftover(world, r)),
  ];
  const busy = strays.length > 0 || leftovers.length > 0;
  if (!wanted) return [...actions, ...rest(endpoint, busy)];
  if (current) return [...actions, ...advance(world, current)];
  if (busy || (endpoint.notBeforeMs ?? 0) > world.nowMs)
    return [...actions, ...say(endpoint, 'pending', endpoint.message)];
  return [...actions, { do: 'open' }, ...say(endpoint, 'pulling', '')];
}

/** A live row that should not live: it ends when its engine is gone from the node that can see it. */
function endLeftover(world: World, replica: Replica): Action[] {
  const here = replica.node === world.node;
  if (here && world.engines.some((e) => e.replicaId === replica.id)) return []; // its engine is being stopped
  if (!here && !isLost(world, replica)) return []; // its own node ends it
  return [{ do: 'close', replicaId: replica.id }];
}

/** Nothing should run. */
function rest(endpoint: Endpoint, busy: boolean): Action[] {
  if (busy) return endpoint.state === 'failed' ? [] : say(endpoint, endpoint.state, 'stopping');
  if (endpoint.desired === 'deleted') return [{ do: 'erase' }];
  return endpoint.desired === 'stopped' ? say(endpoint, 'stopped', '') : [];
}

/** Moves the one right replica a step further. */
function advance(world: World, replica: Replica): Action[] {
  const { endpoint, nowMs } = world;
  if (replica.node !== world.node) {
    return isLost(world, replica) ? [crash(world, replica, 'the node that ran it is gone', null)] : [];
  }
  if (replica.state === 'pulling') return advancePull(world, replica);
  const engine = world.engines.find((e) => e.replicaId === replica.id);
  if (!engine)
    return [{ do: 'start', replicaId: replica.id }, ...say(endpoint, 'starting', 'loading the model')];
  if (!engine.alive) return [crash(world, replica, describeExit(engine.exit), engine.exit)];
  if (replica.state === 'ready') {
    if (engine.silentSinceMs !== null && nowMs - engine.silentSinceMs > LIMITS.silentMs)
      return [crash(world, replica, 'the engine stopped answering', null)];
    const steady =
      endpoint.failures > 0 && replica.readyAtMs !== null && nowMs - replica.readyAtMs > LIMITS.forgiveMs;
    return [...(steady ? [{ do: 'forgive' } as const] : []), ...say(endpoint, 'ready', '')];
  }
  if (engine.health === 'ready')
    return [{ do: 'markReady', replicaId: replica.id }, ...say(endpoint, 'ready', '')];
  if (nowMs - replica.startedAtMs > LIMITS.startMs)
    return [crash(world, replica, 'the engine did not become ready in time', null)];
  return say(endpoint, 'starting', 'loading the model');
}

function advancePull(world: World, replica: Replica): Action[] {
  const pull = world.pulls.get(replica.id);
  if (!pull) return [{ do: 'pull', replicaId: replica.id }, ...say(world.endpoint, 'pulling', '')];
  if (pull.status === 'done')
    return [{ do: 'start', replicaId: replica.id }, ...say(world.endpoint, 'starting', 'loading the model')];
  if (pull.status === 'failed') {
    const action = crash(world, replica, pull.reason, null);
    return [{ ...action, fatal: action.fatal || pull.fatal }];
  }
  return say(world.endpoint, 'pulling', progressText(pull.doneBytes, pull.totalBytes));
}

function crash(world: World, replica: Replica, reason: string, exit: EngineExit | null) {
  const { failures } = world.endpoint;
  const fault = exit !== null && (FAULT_SIGNALS.has(exit.signal ?? '') || (exit.code ?? 0) >= 132);
  const diedLoading = replica.state === 'starting' && fault;
  return {
    do: 'crashed',
    replicaId: replica.id,
    reason,
    exit,
    fatal:
      exit?.code === EXIT_MODEL_UNUSABLE || (diedLoading && failures >= 1) || failures + 1 >= LIMITS.crashes,
    notBeforeMs: world.nowMs + LIMITS.backoffMs(failures),
  } as const;
}

function describeExit(exit: EngineExit | null): string {
  if (exit?.code === EXIT_MODEL_UNUSABLE) return 'the model file cannot be loaded';
  if (exit?.signal === 'SIGKILL') return 'the engine was killed (perhaps for lack of memory)';
  if (exit?.signal) return `the engine died of ${exit.signal}`;
  if (exit?.code != null) return `the engine exited with code ${exit.code}`;
  return 'the engine is gone';
}

const isLost = (world: World, replica: Replica) => world.nowMs - replica.seenAtMs > LIMITS.nodeLostMs;

function say(endpoint: Endpoint, state: EndpointState, message: string): Action[] {
  return endpoint.state === state && endpoint.message === message ? [] : [{ do: 'state', state, message }];
}

/** `pulling 61 / 145 MB`: sizes in powers of 1000, as everywhere in the product. */
export function progressText(doneBytes: number, totalBytes: number): string {
  const [unit, size] = totalBytes >= 10_000_000_000 ? ['GB', 1e9] : ['MB', 1e6];
  const digits = unit === 'GB' || totalBytes < 10_000_000 ? 1 : 0;
  return `pulling ${(doneBytes / size).toFixed(digits)} / ${(totalBytes / size).toFixed(digits)} ${unit}`;
}

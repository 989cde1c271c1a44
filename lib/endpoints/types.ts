import type { Oid, RepoId, Sha256 } from '#lib/base/ids.ts';

export type EndpointState = 'pending' | 'pulling' | 'starting' | 'ready' | 'stopped' | 'failed';
export type Desired = 'running' | 'stopped' | 'deleted';
export type ReplicaState = 'pulling' | 'starting' | 'ready' | 'stopping' | 'exited';
export type EngineId = 'llama-cpp-node';

/** How an engine is to run; kept with the endpoint. */
export interface EndpointSpec {
  /** Tokens per request, prompt and answer together. */
  readonly contextSize: number;
  /** Requests at once. */
  readonly parallel: number;
}

/** What should be (desired, generation) and what the reconciler last made of it. Times in ms since the epoch. */
export interface Endpoint {
  readonly id: string;
  readonly namespaceId: string;
  readonly namespace: string;
  readonly name: string;
  readonly repoId: RepoId;
  readonly commitOid: Oid;
  readonly path: string;
  readonly sha256: Sha256;
  readonly engine: EngineId;
  readonly spec: EndpointSpec;
  readonly desired: Desired;
  readonly generation: number;
  readonly state: EndpointState;
  readonly message: string;
  /** Crashes in a row. */
  readonly failures: number;
  readonly notBeforeMs: number | null;
}

/** What is known of one engine process. A row that is not `exited` is live. */
export interface Replica {
  readonly id: string;
  readonly endpointId: string;
  readonly generation: number;
  readonly node: string;
  readonly state: ReplicaState;
  readonly startedAtMs: number;
  readonly readyAtMs: number | null;
  /** Last heartbeat of the worker on its node. */
  readonly seenAtMs: number;
}

/** How a process ended, as far as anyone saw. */
export interface EngineExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One engine as a driver finds it on this node, whoever started it. */
export interface ObservedEngine {
  readonly replicaId: string;
  readonly endpointId: string;
  readonly generation: number;
  readonly alive: boolean;
  readonly pid: number | null;
  /** Where it listens, once it says so. */
  readonly url: string | null;
  readonly health: 'loading' | 'ready' | 'silent';
  /** Since when it has not answered although it was ready before; null while it does. */
  readonly silentSinceMs: number | null;
  readonly exit: EngineExit | null;
}

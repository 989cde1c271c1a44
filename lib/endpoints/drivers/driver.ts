import type { EndpointSpec, EngineExit, EngineId } from '../types.ts';

/** All an engine needs to run; a driver adds nothing of its own judgement. */
export interface ReplicaSpec {
  readonly replicaId: string;
  readonly endpointId: string;
  readonly generation: number;
  readonly engine: EngineId;
  /** Verified weights on this node. */
  readonly modelPath: string;
  /** What the engine calls itself: `namespace/name`. */
  readonly modelName: string;
  readonly spec: EndpointSpec;
  /** What callers of this engine must show. */
  readonly token: string;
}

/** An engine that a driver finds on its node, whoever started it, dead or alive, until it is forgotten. */
export interface FoundEngine {
  readonly replicaId: string;
  readonly endpointId: string;
  readonly generation: number;
  readonly alive: boolean;
  readonly pid: number | null;
  /** `http://127.0.0.1:port`, once the engine listens. */
  readonly url: string | null;
  readonly exit: EngineExit | null;
}

/**
 * The port to what runs engines: processes now, containers and clusters later. Every method is idempotent and
 * keyed by the replica; the reconciler alone decides, and decides from observe(), never from what it remembers.
 */
export interface Driver {
  /** Name of the place whose engines this driver sees. */
  readonly node: string;
  /** Starts the engine unless this replica was ever started here. Returns when it was asked to run, not when it is ready. */
  start(spec: ReplicaSpec): Promise<void>;
  /** All engines of this node, also those that an earlier worker started and did not live to write down. */
  observe(): Promise<FoundEngine[]>;
  /** Asks it to end, insists after `graceMs`, and returns when no process of it is left. What it logged stays. */
  stop(replicaId: string, graceMs: number): Promise<void>;
  /** Removes all traces of an engine that does not live. */
  forget(replicaId: string): Promise<void>;
  /** Hands new whole lines of its log to `sink`; a line counts as taken when `sink` resolves. Bounded per call. */
  takeLog(replicaId: string, sink: (lines: string[]) => Promise<void>): Promise<void>;
  /** `listener` is called when an engine that this process started ends. */
  onExit(listener: () => void): void;
}

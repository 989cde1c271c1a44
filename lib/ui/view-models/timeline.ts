import type { EndpointView } from '#lib/endpoints/view.ts';

export type EndpointState = EndpointView['state'];

/** A move of an endpoint from one state to the next, as the hub reports it. */
export interface StateEvent {
  readonly id: number;
  readonly at: string;
  /** Null for a remark that moves nothing. */
  readonly state: string | null;
  readonly message: string;
}

export interface Stage {
  readonly id: number;
  readonly state: EndpointState;
  readonly message: string;
  readonly atMs: number;
  /** How long it lasted; null for the one that still lasts. */
  readonly durationMs: number | null;
}

const STATES = new Set<string>(['pending', 'pulling', 'starting', 'ready', 'stopped', 'failed']);

/** The stages of the present life of an endpoint: everything since it last began, oldest first. Pure. */
export function stagesOf(events: readonly StateEvent[]): Stage[] {
  const known = events.filter((event) => STATES.has(event.state ?? ''));
  const moves = known.filter((event, i) => i === 0 || event.state !== known[i - 1]?.state);
  const begin = Math.max(
    0,
    moves.findLastIndex((event) => event.state === 'pending'),
  );
  const life = moves.slice(begin);
  return life.map((event, i) => {
    const atMs = Date.parse(event.at);
    const next = life[i + 1];
    return {
      id: event.id,
      state: event.state as EndpointState,
      message: event.message,
      atMs,
      durationMs: next ? Math.max(0, Date.parse(next.at) - atMs) : null,
    };
  });
}

'use client';

import { useEffect, useState } from 'react';
import type { EndpointView } from '#lib/endpoints/view.ts';
import type { StateEvent } from '../view-models/timeline.ts';

export interface LogLine {
  readonly id: number;
  readonly at: string;
  readonly line: string;
}

export interface LiveEndpoint {
  readonly endpoint: EndpointView;
  readonly states: readonly StateEvent[];
  readonly log: readonly LogLine[];
  readonly connection: 'connecting' | 'live' | 'lost';
  readonly isDeleted: boolean;
}

/** Lines kept in the browser; older ones fall off the top. */
const MAX_LINES = 1_000;

/** Adds an item unless it is there already: the stream repeats the last ones when it is opened again. */
function add<T extends { readonly id: number }>(items: readonly T[], item: T): readonly T[] {
  const last = items.at(-1);
  if (last !== undefined && item.id <= last.id) return items;
  return [...items, item].slice(-MAX_LINES);
}

/** An endpoint as it is now, kept so by the hub's event stream; EventSource reconnects by itself. */
export function useEndpoint(initial: EndpointView, states: readonly StateEvent[]): LiveEndpoint {
  const [live, setLive] = useState<LiveEndpoint>({
    endpoint: initial,
    states,
    log: [],
    connection: 'connecting',
    isDeleted: false,
  });
  const path = `/api/endpoints/${encodeURIComponent(initial.namespace)}/${encodeURIComponent(initial.name)}/events`;
  useEffect(() => {
    const source = new EventSource(path);
    const on = <T>(name: string, change: (data: T) => (was: LiveEndpoint) => LiveEndpoint) =>
      source.addEventListener(name, (event) =>
        setLive(change(JSON.parse((event as MessageEvent<string>).data) as T)),
      );
    source.addEventListener('open', () => setLive((was) => ({ ...was, connection: 'live' })));
    source.addEventListener('error', () => setLive((was) => ({ ...was, connection: 'lost' })));
    on<EndpointView>('endpoint', (endpoint) => (was) => ({ ...was, endpoint }));
    on<StateEvent>('state', (event) => (was) => ({ ...was, states: add(was.states, event) }));
    on<LogLine>('log', (line) => (was) => ({ ...was, log: add(was.log, line) }));
    on('deleted', () => (was) => ({ ...was, isDeleted: true }));
    source.addEventListener('deleted', () => source.close());
    return () => source.close();
  }, [path]);
  return live;
}

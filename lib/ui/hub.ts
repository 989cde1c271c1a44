import type { Queries } from './queries.ts';

const holder = globalThis as { __larderQueries?: Queries };

/** Hands the queries to the pages; called by server.ts before Next starts. */
export function provideQueries(queries: Queries): void {
  holder.__larderQueries = queries;
}

/** The queries of this process. Throws when pages run without server.ts. */
export function hub(): Queries {
  if (!holder.__larderQueries) throw new Error('no queries in this process: pages run inside server.ts');
  return holder.__larderQueries;
}

import type { App } from './context.ts';
import type { UserPrincipal } from './principal.ts';

type Cached = Pick<App, 'db' | 'clock'>;

interface Entry {
  readonly principal: UserPrincipal;
  readonly untilMs: number;
}

interface State {
  readonly entries: Map<string, Entry>;
  readonly loading: Map<string, Promise<UserPrincipal | null>>;
  /** Counts forgetPrincipal(): what was read before one must not be remembered after it. */
  forgotten: number;
}

/** How long a credential may still work in another process after it was revoked there. */
const PRINCIPAL_TTL_MS = 5_000;
const MAX_ENTRIES = 10_000;

// The Next bundle holds a second copy of this module: the state is the process's, one per pool.
const REGISTRY = Symbol.for('larder.identity.principals');
const holder = globalThis as { [REGISTRY]?: WeakMap<object, State> };

function stateOf(app: Cached): State {
  holder[REGISTRY] ??= new WeakMap();
  let state = holder[REGISTRY].get(app.db);
  if (!state) {
    state = { entries: new Map(), loading: new Map(), forgotten: 0 };
    holder[REGISTRY].set(app.db, state);
  }
  return state;
}

/**
 * The principal behind a hashed credential: from memory when it was loaded within PRINCIPAL_TTL_MS, else by `load`,
 * which runs once for all who ask at the same time. What does not exist is not remembered, so junk cannot push out
 * what is used. Holds at most 10,000 principals.
 */
export async function cachedPrincipal(
  app: Cached,
  key: string,
  load: () => Promise<UserPrincipal | null>,
): Promise<UserPrincipal | null> {
  const state = stateOf(app);
  const { entries, loading, forgotten } = state;
  const hit = entries.get(key);
  const nowMs = app.clock.now();
  // The second bound: a clock that was set back must not make memory last.
  if (hit && hit.untilMs > nowMs && hit.untilMs <= nowMs + PRINCIPAL_TTL_MS) return hit.principal;
  entries.delete(key);
  let pending = loading.get(key);
  if (!pending) {
    pending = load();
    loading.set(key, pending);
  }
  const principal = await pending.finally(() => {
    if (loading.get(key) === pending) loading.delete(key);
  });
  if (principal && state.forgotten === forgotten) {
    entries.set(key, { principal, untilMs: nowMs + PRINCIPAL_TTL_MS });
    if (entries.size > MAX_ENTRIES) entries.delete(entries.keys().next().value as string);
  }
  return principal;
}

/** Drops what this process remembers of a user, so that a change of their rights or credentials counts at once here. */
export function forgetPrincipal(app: Cached, userId: string): void {
  const state = stateOf(app);
  const { entries, loading } = state;
  state.forgotten += 1;
  for (const [key, entry] of entries) if (entry.principal.id === userId) entries.delete(key);
  loading.clear();
}

import type { Ctx } from '#lib/identity/context.ts';
import { requireSee } from './access.ts';
import { CHANGED_CHANNEL, type EndpointRef, findEndpointsById } from './db.ts';
import { type EndpointEvent, selectEvents } from './events.ts';
import { subscribe } from './subscribe.ts';
import { type EndpointView, viewEndpoint } from './view.ts';

export type Watched =
  | { readonly kind: 'endpoint'; readonly endpoint: EndpointView }
  | { readonly kind: 'event'; readonly event: EndpointEvent }
  | { readonly kind: 'deleted' };

const PAGE = 500;
const FIRST_EVENTS = 200;
/** Also without a notification: lost ones, and rights that ended meanwhile. */
const RESYNC_MS = 5_000;

/**
 * Everything that happens to an endpoint, live: first how it is and its last 200 events (or, with `after`, those
 * since), then every change as it comes, at most some ten per second. Ends with `deleted`, when `ctx.signal`
 * aborts, and with not_found once the caller may no longer see it.
 */
export async function* watchEndpoint(
  ctx: Ctx,
  ref: EndpointRef,
  after: number | null,
): AsyncGenerator<Watched> {
  const { id } = await requireSee(ctx, ref);
  const wake = createWake(ctx.signal);
  const unsubscribe = subscribe(ctx, CHANGED_CHANNEL, (payload) => {
    if (payload === null || payload === id) wake.now();
  });
  try {
    let cursor = after;
    let shown = '';
    while (!ctx.signal.aborted) {
      const [record] = await findEndpointsById(ctx.db, [id]);
      if (!record || record.desired === 'deleted') {
        yield { kind: 'deleted' };
        return;
      }
      const endpoint = await viewEndpoint(ctx, await requireSee(ctx, record));
      if (JSON.stringify(endpoint) !== shown) yield { kind: 'endpoint', endpoint };
      shown = JSON.stringify(endpoint);
      const events = await selectEvents(ctx.db, id, {
        after: cursor,
        limit: cursor === null ? FIRST_EVENTS : PAGE,
        kinds: ['state', 'log'],
      });
      for (const event of events) yield { kind: 'event', event };
      cursor = events.at(-1)?.id ?? cursor ?? 0;
      if (events.length < PAGE) await wake.wait(RESYNC_MS);
    }
  } finally {
    unsubscribe();
  }
}

/** A wait that ends early when called, at once if it was called before, and when the signal aborts. */
function createWake(signal: AbortSignal) {
  const QUIET_MS = 80; // several changes in a row become one look
  let called = false;
  let finish: (() => void) | null = null;
  signal.addEventListener('abort', () => finish?.(), { once: true });
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      finish = () => {
        clearTimeout(timer);
        resolve();
      };
      if (signal.aborted) finish();
    });
  return {
    now() {
      if (!called) finish?.();
      called = true;
    },
    async wait(ms: number) {
      if (!called) await pause(ms);
      if (called) await pause(QUIET_MS);
      called = false;
    },
  };
}

import type { Driver } from '#lib/endpoints/drivers/driver.ts';
import { createProcessDriver } from '#lib/endpoints/drivers/process-driver.ts';
import { findByArguments } from '#lib/endpoints/drivers/processes.ts';
import { getEndpoint } from '#lib/endpoints/get-endpoint.ts';
import { type Reconciler, startReconciler } from '#lib/endpoints/reconcile.ts';
import type { EndpointState } from '#lib/endpoints/types.ts';
import type { EndpointView } from '#lib/endpoints/view.ts';
import { createWeightsCache } from '#lib/endpoints/weights-cache.ts';
import type { App, Ctx } from '#lib/identity/context.ts';
import { PROJECT } from '#tests/support/child.ts';

/** The process driver with the real engine, in this app's data folder. */
export function realDriver(app: App): Promise<Driver> {
  return createProcessDriver({
    dataDir: app.config.LARDER_DATA,
    threads: 1,
    engines: { 'llama-cpp-node': `${PROJECT}/workers/engines/llama-cpp-node.ts` },
  });
}

/** A reconciler as the worker runs it. */
export async function startRoom(app: App, driver?: Driver): Promise<Reconciler> {
  const cache = await createWeightsCache(app.config.LARDER_DATA, 10_000_000_000);
  return startReconciler(app, driver ?? (await realDriver(app)), cache);
}

/** Pids of all engine processes of this data folder. */
export async function enginePids(dataDir: string): Promise<number[]> {
  const all = await findByArguments([]);
  return all
    .filter(({ args }) => args.some((arg) => arg.startsWith(`--home=${dataDir}/engines/`)))
    .map(({ pid }) => pid);
}

/** Polls until `look` gives something; throws with what was seen last. */
export async function eventually<T>(
  look: () => Promise<T | null | undefined | false>,
  what: string,
  withinMs = 90_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  let last: unknown;
  while (performance.now() < deadline) {
    try {
      const seen = await look();
      if (seen) return seen;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${what}: not within ${withinMs} ms${last ? ` (${String(last)})` : ''}`);
}

/** Waits until the endpoint is in this state. */
export function untilState(
  ctx: Ctx,
  ref: { namespace: string; name: string },
  state: EndpointState,
): Promise<EndpointView> {
  let last: EndpointView | undefined;
  return eventually(async () => {
    last = await getEndpoint(ctx, ref);
    return last.state === state ? last : null;
  }, `state ${state}`).catch((error: Error) => {
    throw new Error(`${error.message}; last: ${last?.state} ${last?.message}`);
  });
}

import { sendJson } from './respond.ts';
import { type Route, route } from './route.ts';

export const routes: Route[] = [
  /** Whether this process can serve pages and metadata: 200 only when the database answers. For load balancers. */
  route(['GET', 'HEAD'], '/healthz', { operation: 'health', access: 'public' }, async (ctx, _req, res) => {
    await ctx.db.query('select 1');
    sendJson(res, 200, { ok: true });
  }),

  /** Whether bytes can be read and written too, and if not, why. For alarms, and for who waits after a deployment. */
  route(['GET', 'HEAD'], '/readyz', { operation: 'ready', access: 'public' }, async (ctx, _req, res) => {
    await ctx.db.query('select 1');
    const why = (await ctx.store.whyNotReady?.()) ?? null;
    if (why === null) sendJson(res, 200, { ready: true });
    else sendJson(res, 503, { ready: false, why }, { 'retry-after': '2' });
  }),
];

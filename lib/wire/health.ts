import { sendJson } from './respond.ts';
import { type Route, route } from './route.ts';

/** Liveness and readiness: 200 only when the database answers. */
export const routes: Route[] = [
  route(['GET', 'HEAD'], '/healthz', { operation: 'health', access: 'public' }, async (ctx, _req, res) => {
    await ctx.db.query('select 1');
    sendJson(res, 200, { ok: true });
  }),
];

import type { App } from '#lib/identity/context.ts';
import { type Domain, domainOf } from './db.ts';

const TTL_MS = 10_000;
const MAX_REMEMBERED = 10_000;

const remembered = new WeakMap<object, Map<string, { domain: Domain; untilMs: number }>>();

/** Whose domain uploads to repos of a namespace go to: the namespace's own, or the hub's (null). LARDER_DEDUP_DOMAIN. */
export function domainOwner(app: Pick<App, 'config'>, namespaceId: string): string | null {
  return app.config.LARDER_DEDUP_DOMAIN === 'hub' ? null : namespaceId;
}

/** The domain of the namespace's repos with its epoch as of at most 10 s ago. Remembers 10,000 domains. */
export async function currentDomain(
  app: Pick<App, 'db' | 'clock' | 'config'>,
  namespaceId: string,
): Promise<Domain> {
  const owner = domainOwner(app, namespaceId);
  const key = owner ?? '';
  let domains = remembered.get(app.db);
  if (domains === undefined) remembered.set(app.db, (domains = new Map()));
  const nowMs = app.clock.now();
  const known = domains.get(key);
  if (known !== undefined && known.untilMs > nowMs && known.untilMs <= nowMs + TTL_MS) return known.domain;
  const domain = await domainOf(app.db, owner);
  domains.delete(key);
  domains.set(key, { domain, untilMs: nowMs + TTL_MS });
  if (domains.size > MAX_REMEMBERED) domains.delete(domains.keys().next().value as string);
  return domain;
}

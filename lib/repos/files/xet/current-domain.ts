import type { App } from '#lib/identity/context.ts';
import { type Domain, domainOf } from './db.ts';

const TTL_MS = 10_000;
const MAX_REMEMBERED = 10_000;

const remembered = new WeakMap<object, Map<string, { domain: Domain; untilMs: number }>>();

/** The namespace's domain with its epoch as of at most 10 s ago. Remembers 10,000 domains. */
export async function currentDomain(app: Pick<App, 'db' | 'clock'>, namespaceId: string): Promise<Domain> {
  let domains = remembered.get(app.db);
  if (domains === undefined) remembered.set(app.db, (domains = new Map()));
  const nowMs = app.clock.now();
  const known = domains.get(namespaceId);
  if (known !== undefined && known.untilMs > nowMs) return known.domain;
  const domain = await domainOf(app.db, namespaceId);
  domains.delete(namespaceId);
  domains.set(namespaceId, { domain, untilMs: nowMs + TTL_MS });
  if (domains.size > MAX_REMEMBERED) domains.delete(domains.keys().next().value as string);
  return domain;
}

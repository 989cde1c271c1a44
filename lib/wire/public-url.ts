import type { IncomingMessage } from 'node:http';
import { hostname, networkInterfaces } from 'node:os';
import type { Config } from '#lib/base/config.ts';

function ownHosts(config: Config): Set<string> {
  const hosts = new Set(['localhost', '127.0.0.1', '::1', hostname().toLowerCase()]);
  for (const addresses of Object.values(networkInterfaces())) {
    for (const a of addresses ?? []) hosts.add(a.address.toLowerCase());
  }
  for (const host of config.LARDER_ALLOWED_HOSTS.split(','))
    if (host.trim()) hosts.add(host.trim().toLowerCase());
  return hosts;
}

/**
 * Makes the function that tells under which address a client sees this hub. Clients refuse links to another host
 * than the one they called, and a forged Host must not get into links (abuse.md H82): so the Host header is taken
 * only when it names LARDER_URL, this machine, or a host in LARDER_ALLOWED_HOSTS; anything else gets the default.
 */
export function createPublicUrl(config: Config): (req: IncomingMessage) => string {
  const configured = config.LARDER_URL?.replace(/\/+$/, '');
  const fallback = configured ?? `http://localhost:${config.PORT}`;
  const protocol = new URL(fallback).protocol;
  const configuredHost = new URL(fallback).host;
  const allowed = ownHosts(config);
  return (req) => {
    const host = req.headers.host?.toLowerCase();
    if (!host || host === configuredHost) return fallback;
    const match = /^(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::(\d{1,5}))?$/.exec(host);
    const name = match?.[1]?.replace(/^\[|\]$/g, '');
    if (!name || !allowed.has(name) || Number(match?.[2] ?? 0) > 65_535) return fallback;
    return `${protocol}//${host}`;
  };
}

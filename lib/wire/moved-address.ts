import type { HubError } from '#lib/base/errors.ts';
import type { Route } from './route.ts';

/**
 * Whether a request of this route for a repo that has moved is sent on to its new address: reading by the Hub's
 * protocol. Everything else (changes, git, LFS, Xet tokens) is served under the old name, because clients do not
 * send such requests again elsewhere, or not with their credentials.
 */
export function canBeRedirected({ meta }: Route, method: string): boolean {
  const isHub = meta.protocol === undefined || meta.protocol === 'hub';
  const reads = method === 'GET' || method === 'HEAD';
  return reads && isHub && meta.access.startsWith('repo.') && /^(?:repo|file)\./.test(meta.operation);
}

/**
 * The address of the same thing in the repo's new place, without the host, as clients of resolve require: they
 * follow redirects within the host only.
 */
export function movedAddress(rawPath: string, rawQuery: string, moved: HubError): string {
  const { namespace, name } = moved.details as { namespace: string; name: string };
  const path = rawPath.replace(
    /^((?:\/api)?\/(?:models|datasets)|)\/[^/]+\/[^/]+/,
    (_, prefix: string) => `${prefix}/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`,
  );
  return rawQuery === '' ? path : `${path}?${rawQuery}`;
}

const LONGEST_SECONDS = 600;

/**
 * When a link that lives for `expiresSeconds` is said to have been signed: the start of the current window of a sixth
 * of that time, at most ten minutes. All links to the same thing within a window are the same link, so that caches of
 * browsers and proxies find what they have. None lives longer than promised, each at least five sixths of it.
 */
export function signedAt(nowMs: number, expiresSeconds: number): number {
  const windowMs = signingWindowSeconds(expiresSeconds) * 1000;
  return Math.floor(nowMs / windowMs) * windowMs;
}

/** Most seconds that a link has lived already when it is given out. */
export function signingWindowSeconds(expiresSeconds: number): number {
  return Math.max(1, Math.min(LONGEST_SECONDS, Math.floor(expiresSeconds / 6)));
}

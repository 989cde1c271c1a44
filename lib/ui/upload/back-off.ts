const FIRST_MS = 1_000;
const MOST_MS = 30_000;

/** How long to wait before try number `tries` (from 1): doubling up to half a minute, spread so that tabs do not march in step. */
export function backOffMs(tries: number, random: number = Math.random()): number {
  const full = Math.min(MOST_MS, FIRST_MS * 2 ** (tries - 1));
  return full * (0.75 + random / 4);
}

/** Waits so long, or until the browser says that it is online again. Throws AbortError. */
export function waitForNetwork(tries: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      window.removeEventListener('online', end);
      signal.removeEventListener('abort', end);
      if (signal.aborted) reject(new DOMException('stopped', 'AbortError'));
      else resolve();
    };
    const timer = setTimeout(end, backOffMs(tries));
    window.addEventListener('online', end);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}

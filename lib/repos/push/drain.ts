const MAX_MS = 10_000;

/**
 * Reads on and forgets: a client that is still writing does not read why it was refused. Gives up after `maxBytes` or
 * ten seconds. Never throws.
 */
export async function drain(source: AsyncIterable<Buffer>, maxBytes: number): Promise<void> {
  const rest = source[Symbol.asyncIterator]();
  const endMs = Date.now() + MAX_MS;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), MAX_MS);
  });
  try {
    for (let total = 0; total < maxBytes && Date.now() < endMs; ) {
      const next = await Promise.race([rest.next(), timeout]);
      if (next === null || next.done) return;
      total += next.value.length;
    }
  } catch {
    // the client went away
  } finally {
    clearTimeout(timer);
  }
}

/** So long a page may be held up: less than a frame. */
const SLICE_MS = 12;

/** For long loops: awaited in each round, it lets the page live whenever a slice of time is used up. */
export function pacer(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < SLICE_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    since = performance.now();
  };
}

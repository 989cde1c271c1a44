/** A small seeded generator (mulberry32), so that a failing run can be repeated by its seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The seeds to run: LARDER_FAULT_SEEDS, else `usual`, as numbers and ranges: `3,7` or `1-100`. */
export function seedsAsked(usual: string): number[] {
  return (process.env.LARDER_FAULT_SEEDS ?? usual).split(',').flatMap((part) => {
    const [from = 1, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, index) => from + index);
  });
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Repeats `attempt` until it succeeds or `forMs` pass; throws the last failure then. */
export async function eventually<T>(attempt: () => Promise<T>, forMs = 30_000): Promise<T> {
  for (const deadline = Date.now() + forMs; ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await pause(150);
    }
  }
}

import { expect, test } from 'vitest';
import { signedAt, signingWindowSeconds } from './signing-window.ts';

test.each([60, 600, 3600, 10_800, 604_800])(
  'a link of %i s stays the same for a while and never outlives its time',
  (expires) => {
    const windowMs = signingWindowSeconds(expires) * 1000;
    expect(windowMs).toBeLessThanOrEqual(Math.min(600_000, (expires * 1000) / 6));
    const start = Math.ceil(1_700_000_000_000 / windowMs) * windowMs;
    for (const offset of [0, 1, windowMs / 2, windowMs - 1])
      expect(signedAt(start + offset, expires)).toBe(start);
    expect(signedAt(start + windowMs, expires)).toBe(start + windowMs);
  },
);

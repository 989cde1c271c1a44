import { expect, it } from 'vitest';
import { createLittered, killAt, POINTS } from './littered.ts';

it('garbage collection killed at each of its points, one after the other, loses nothing', async () => {
  const littered = await createLittered();
  try {
    await killAt(littered, POINTS);
    expect(POINTS.length).toBeGreaterThan(10);
  } finally {
    await littered.w.close();
  }
});

import { afterAll, beforeAll, expect, test } from 'vitest';
import { routesOf } from '#lib/wire/routes.ts';
import { startWire, type TestWire } from '#tests/support/wire.ts';

let wire: TestWire;
beforeAll(async () => {
  wire = await startWire(routesOf('gateway'));
});
afterAll(() => wire.close());

test('a gateway process answers inference and its health, and nothing of the hub', async () => {
  const status = async (path: string) => (await fetch(`${wire.url}${path}`)).status;
  expect(await status('/healthz')).toBe(200);
  expect(await status('/v1/models')).toBe(401);
  expect(await status('/api/whoami-v2')).toBe(404);
  expect(await status('/api/endpoints')).toBe(404);
});

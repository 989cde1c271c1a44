import { afterAll, beforeAll, expect, test } from 'vitest';
import { createEndpoint } from '#lib/endpoints/create-endpoint.ts';
import { listEndpoints } from '#lib/endpoints/list-endpoints.ts';
import { resumeEndpoint } from '#lib/endpoints/resume-endpoint.ts';
import { stopEndpoint } from '#lib/endpoints/stop-endpoint.ts';
import { makeUser } from '#tests/repos/people.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { scriptedModel } from '#tests/support/scripted-model.ts';
import { makeModel } from './model-repo.ts';

let t: TestApp;
beforeAll(async () => {
  t = await createTestApp({ env: { LARDER_ENDPOINTS_PER_NAMESPACE: '1' } });
});
afterAll(() => t.close());

test('a namespace runs no more endpoints than the hub allows; stopping one makes room, and a refusal leaves nothing', async () => {
  const ctx = t.ctxFor(await makeUser(t.app.db, 'ada'));
  const gguf = scriptedModel();
  const one = await makeModel(ctx, 'one', gguf);
  const two = await makeModel(ctx, 'two', gguf);
  await createEndpoint(ctx, one);
  await expect(createEndpoint(ctx, two)).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('1 endpoints'),
  });
  expect((await listEndpoints(ctx, {})).map((e) => e.name)).toEqual(['one']);
  await stopEndpoint(ctx, one);
  await createEndpoint(ctx, two);
  await expect(resumeEndpoint(ctx, one)).rejects.toMatchObject({ code: 'forbidden' });
});

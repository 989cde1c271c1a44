import { afterAll, beforeAll, expect, it } from 'vitest';
import { startChild } from '#tests/support/child.ts';
import type { Hub } from '#tests/support/hub.ts';
import { scriptedModel } from '#tests/support/scripted-model.ts';
import { enginePids } from './engine-room.ts';
import { call, deploy, startHubWithPeople, TOKENS, untilSeen, uploadModel } from './hub-with-model.ts';

let hub: Hub;

beforeAll(async () => {
  hub = await startHubWithPeople();
}, 120_000);

afterAll(async () => {
  const { dataDir } = hub;
  await hub.stop();
  expect(await enginePids(dataDir)).toEqual([]);
}, 60_000);

/** `npm run check` on the hub's data, while it runs. */
async function check(): Promise<{ code: number | string; output: string }> {
  const child = startChild(['workers/check.ts'], {
    NODE_ENV: 'production',
    LOG_LEVEL: 'error',
    LARDER_DATA: hub.dataDir,
    DATABASE_URL: hub.databaseUrl,
  });
  const code = await child.exited;
  return { code, output: child.logs() };
}

it('P12: kill -9 of server and worker at any moment of a deploy, then a start: one engine, and the check is clean', async () => {
  for (const [i, delayMs] of [0, 600, 2_000].entries()) {
    const name = `ada/m${i}`;
    await uploadModel(hub, name, scriptedModel());
    await deploy(hub, name);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
    await hub.kill();
    await hub.restart();
    await untilSeen(hub, name, 'ready');
    const answer = await call(hub, 'POST', '/v1/chat/completions', TOKENS.ada, {
      model: name,
      messages: [{ role: 'user', content: 'hi' }],
    });
    expect(answer.status).toBe(200);
    expect(await check()).toEqual({ code: 0, output: expect.stringMatching(/^clean/m) });
    expect(await enginePids(hub.dataDir)).toHaveLength(1);
    await call(hub, 'DELETE', `/api/endpoints/${name}`, TOKENS.ada);
    await hub.kill(); // with the engine on its way out
    await hub.restart();
    await untilGone();
  }
}, 300_000);

async function untilGone(): Promise<void> {
  const deadline = performance.now() + 60_000;
  while ((await enginePids(hub.dataDir)).length > 0) {
    if (performance.now() > deadline) throw new Error('an engine is left over');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

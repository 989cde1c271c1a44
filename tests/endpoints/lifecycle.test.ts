import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEndpoint } from '#lib/endpoints/create-endpoint.ts';
import { deleteEndpoint } from '#lib/endpoints/delete-endpoint.ts';
import { engineToken } from '#lib/endpoints/engine-token.ts';
import { findTarget } from '#lib/endpoints/find-target.ts';
import { getEndpoint } from '#lib/endpoints/get-endpoint.ts';
import { listEvents } from '#lib/endpoints/list-events.ts';
import type { Reconciler } from '#lib/endpoints/reconcile.ts';
import { resumeEndpoint } from '#lib/endpoints/resume-endpoint.ts';
import { stopEndpoint } from '#lib/endpoints/stop-endpoint.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '#lib/repos/access.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { repoDeleted } from '#lib/repos/jobs.ts';
import { makeUser } from '#tests/repos/people.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { SCRIPTED_SENTENCE, scriptedModel } from '#tests/support/scripted-model.ts';
import { jobHandlers } from '#workers/jobs.ts';
import { enginePids, eventually, startRoom, untilState } from './engine-room.ts';
import { makeModel, putLargeFile } from './model-repo.ts';

let test: TestApp;
let room: Reconciler;
let ctx: Ctx;

beforeAll(async () => {
  test = await createTestApp();
  room = await startRoom(test.app);
  ctx = test.ctxFor(await makeUser(test.app.db, 'ada'));
});

afterAll(async () => {
  await room.stop({ leaveEngines: false });
  expect(await enginePids(test.dataDir)).toEqual([]);
  await test.close();
});

const noEngines = () =>
  eventually(async () => (await enginePids(test.dataDir)).length === 0, 'no engine process');

async function askEngine(id: string): Promise<string> {
  const { rows } = await test.app.db.query<{ id: string; url: string }>(
    `SELECT id, url FROM replica WHERE endpoint_id = $1 AND state = 'ready'`,
    [id],
  );
  const replica = rows[0];
  if (!replica) throw new Error('no ready replica');
  const answer = await fetch(`${replica.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${engineToken(test.app, replica.id)}` },
    body: JSON.stringify({ messages: [{ role: 'user', content: 'hi' }] }),
  });
  const body = (await answer.json()) as { choices: { message: { content: string } }[] };
  return body.choices[0]?.message.content ?? '';
}

describe('an endpoint, from the click to the end', () => {
  it('becomes ready from the hub’s own bytes, answers, and stopping leaves no process', async () => {
    const ref = await makeModel(ctx, 'scripted', scriptedModel());
    const { endpoint, created } = await createEndpoint(ctx, ref);
    expect({ created, state: endpoint.state, file: endpoint.file }).toEqual({
      created: true,
      state: 'pending',
      file: 'model.gguf',
    });
    const ready = await untilState(ctx, endpoint, 'ready');
    expect(ready.readyAt).not.toBeNull();
    expect(await askEngine(endpoint.id)).toBe(SCRIPTED_SENTENCE);
    expect(await enginePids(test.dataDir)).toHaveLength(1);

    const cached = join(test.dataDir, 'cache', 'weights');
    const [weights] = await readdir(cached);
    expect((await stat(join(cached, weights ?? ''))).mode & 0o222).toBe(0);

    await stopEndpoint(ctx, endpoint);
    const stopped = await untilState(ctx, endpoint, 'stopped');
    expect(stopped.message).toBe('');
    expect(await enginePids(test.dataDir)).toEqual([]);

    const events = await listEvents(ctx, endpoint, { kinds: ['state'] });
    const states = events.flatMap((e) => (e.kind === 'state' && e.state ? [e.state] : []));
    expect(states).toEqual(['pending', 'pulling', 'starting', 'ready', 'stopped']);
    const log = await listEvents(ctx, endpoint, { kinds: ['log'] });
    const lines = log.map((e) => (e.kind === 'log' ? e.line : '')).join('\n');
    expect(lines).toMatch(/model loaded in/);
    expect(lines).not.toContain('Hello'); // never what was asked or answered
  });

  it('resumes from the cache, and deleting takes engine and rows away and frees the name', async () => {
    const resumed = await resumeEndpoint(ctx, { namespace: 'ada', name: 'scripted' });
    expect(resumed.generation).toBe(2);
    await untilState(ctx, resumed, 'ready');
    await deleteEndpoint(ctx, resumed);
    await noEngines();
    await eventually(async () => {
      const { rowCount } = await test.app.db.query('SELECT 1 FROM endpoint WHERE id = $1', [resumed.id]);
      return rowCount === 0;
    }, 'row erased');
    const again = await createEndpoint(ctx, { type: 'model', namespace: 'ada', name: 'scripted' });
    expect(again.created).toBe(true);
    expect(again.endpoint.name).toBe('scripted');
    await deleteEndpoint(ctx, again.endpoint); // while it is pulling or starting
    await noEngines();
  });

  it('a file that is not a GGUF fails at once and says so', async () => {
    const ref = await makeModel(ctx, 'page', Buffer.from('<!doctype html><p>not a model'));
    const { endpoint } = await createEndpoint(ctx, ref);
    const failed = await untilState(ctx, endpoint, 'failed');
    expect(failed.message).toMatch(/model\.gguf: this is not a GGUF file.*<!doctyp/);
    expect(failed.failures).toBe(1);
  });

  it('a cut-off GGUF fails at once with the reason of the engine', async () => {
    const ref = await makeModel(ctx, 'cut', scriptedModel().subarray(0, 700_000));
    const { endpoint } = await createEndpoint(ctx, ref);
    const failed = await untilState(ctx, endpoint, 'failed');
    expect(failed.message).toMatch(/^model\.gguf cannot be loaded: /);
    expect(failed.failures).toBe(1);
    await noEngines();
  });

  it('a GGUF that aborts its process takes nothing else down and fails at the second try', async () => {
    const ref = await makeModel(ctx, 'abort', scriptedModel({ duplicateToken: true }));
    const { endpoint } = await createEndpoint(ctx, ref);
    const failed = await untilState(ctx, endpoint, 'failed');
    expect(failed.message).toMatch(/SIGABRT.*GGML_ASSERT/);
    expect(failed.failures).toBe(2);
    await noEngines();
  });

  it('deploying a failed one again takes the head as it is now', async () => {
    const ref = { type: 'model', namespace: 'ada', name: 'page' } as const;
    await putLargeFile(ctx, await requireRead(ctx, ref), 'model.gguf', scriptedModel());
    const { endpoint, created } = await createEndpoint(ctx, ref);
    expect([created, endpoint.generation]).toEqual([false, 2]);
    await untilState(ctx, endpoint, 'ready');
    expect(await askEngine(endpoint.id)).toBe(SCRIPTED_SENTENCE);
    await deleteEndpoint(ctx, endpoint);
    await noEngines();
  });

  it('P7: deleting the repo ends its endpoints, also when the job runs twice', async () => {
    const ref = await makeModel(ctx, 'doomed', scriptedModel());
    const { endpoint } = await createEndpoint(ctx, ref);
    await untilState(ctx, endpoint, 'ready');
    const repo = await requireRead(ctx, ref);
    await deleteRepo(ctx, ref);
    await expect(findTarget(ctx, endpoint)).rejects.toThrow('has no endpoint here'); // at once, before any job
    const handler = jobHandlers.find((h) => h.job.name === repoDeleted.name);
    for (let i = 0; i < 2; i++) await handler?.run(test.app, { repoId: repo.id }, ctx.signal);
    await noEngines();
    await expect(getEndpoint(ctx, endpoint)).rejects.toThrow('Endpoint not found');
  });
});

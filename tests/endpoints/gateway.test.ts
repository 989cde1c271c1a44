import { request } from 'node:http';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { SCRIPTED_SENTENCE, scriptedModel } from '#tests/support/scripted-model.ts';
import { enginePids, eventually } from './engine-room.ts';
import {
  call,
  deploy,
  readEvents,
  startHubWithPeople,
  TOKENS,
  untilSeen,
  uploadModel,
} from './hub-with-model.ts';

let hub: Hub;
const CANARY = 'canary-4711-never-to-be-logged';
const messages = [{ role: 'user' as const, content: `say it: ${CANARY}` }];

beforeAll(async () => {
  hub = await startHubWithPeople();
  await uploadModel(hub, 'ada/scripted', scriptedModel());
  await uploadModel(hub, 'acme/endless', scriptedModel({ endless: true }), { isPrivate: true });
  await deploy(hub, 'ada/scripted');
  await deploy(hub, 'acme/endless');
  await untilSeen(hub, 'ada/scripted', 'ready');
  await untilSeen(hub, 'acme/endless', 'ready');
}, 240_000);

afterAll(async () => {
  const { dataDir } = hub;
  await hub.stop();
  expect(await enginePids(dataDir)).toEqual([]);
}, 60_000);

const client = (apiKey: string, path = '/v1') =>
  new OpenAI({ apiKey, baseURL: `${hub.url}${path}`, maxRetries: 0 });

async function streamed(openai: OpenAI, model: string, includeUsage: boolean) {
  const stream = await openai.chat.completions.create({
    model,
    messages,
    stream: true,
    ...(includeUsage ? { stream_options: { include_usage: true } } : {}),
  });
  let text = '';
  const chunks = [];
  for await (const chunk of stream) {
    chunks.push(chunk);
    text += chunk.choices[0]?.delta.content ?? '';
  }
  return { text, chunks };
}

/** Announces 10 GB and waits for the answer before sending any. */
function statusOf10GB(): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const req = request(`${hub.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKENS.ada}`, 'content-length': 10_000_000_000 },
    });
    req.on('response', (res) => {
      resolve(res.resume().statusCode);
      req.destroy();
    });
    req.on('error', reject);
    req.flushHeaders();
  });
}

describe('the gateway', () => {
  it('streams a chat to the stock openai client, token by token, with whole characters', async () => {
    const { text, chunks } = await streamed(client(TOKENS.ada), 'ada/scripted', false);
    expect(text).toBe(SCRIPTED_SENTENCE);
    expect(chunks.length).toBeGreaterThan(10);
    expect(chunks.every((c) => c.model === 'ada/scripted')).toBe(true);
    expect(chunks.some((c) => c.usage)).toBe(false);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('stop');
  });

  it('gives usage at the end of the stream to who asked for it, equal to the whole answer’s', async () => {
    const { chunks } = await streamed(client(TOKENS.ada), 'ada/scripted', true);
    const usage = chunks.at(-1)?.usage;
    const whole = await client(TOKENS.ada).chat.completions.create({ model: 'ada/scripted', messages });
    expect(usage?.completion_tokens).toBe(15);
    expect(whole.usage?.total_tokens).toBe(usage?.total_tokens);
    expect(whole.choices[0]?.message.content).toBe(SCRIPTED_SENTENCE);
  });

  it('answers below the address of the endpoint whatever model is named, and for a read token', async () => {
    const own = client(TOKENS.adaRead, '/endpoints/ada/scripted/v1');
    expect((await streamed(own, 'anything', false)).text).toBe(SCRIPTED_SENTENCE);
    expect((await own.models.list()).data.map((m) => m.id)).toEqual(['ada/scripted']);
    const text = await own.completions.create({ model: 'x', prompt: 'hi', max_tokens: 2, seed: 1 });
    expect(text.choices[0]?.text).toBe('Hello from');
    expect(text.choices[0]?.finish_reason).toBe('length');
    const cut = await own.chat.completions.create({ model: 'x', messages, stop: [' end', 'bytes'] });
    expect(cut.choices[0]?.message.content).toBe('Hello from the scripted model:');
    expect(cut.choices[0]?.finish_reason).toBe('stop');
  });

  it('lists the models that the caller may use, and finds one by its id', async () => {
    const ids = async (token: string) => (await client(token).models.list()).data.map((m) => m.id).sort();
    expect(await ids(TOKENS.bob)).toEqual(['acme/endless', 'ada/scripted']);
    expect(await ids(TOKENS.eve)).toEqual(['ada/scripted']);
    expect((await client(TOKENS.eve).models.retrieve('ada/scripted')).owned_by).toBe('ada');
  });

  it('hides endpoints of private models from strangers and everything from the anonymous', async () => {
    const chat = (token: string | null, model: string, path = '/v1') =>
      call(hub, 'POST', `${path}/chat/completions`, token, { model, messages });
    expect((await chat(null, 'ada/scripted')).status).toBe(401);
    expect((await chat('hf_wrongwrongwrongwrongwrongwrongwrong', 'ada/scripted')).status).toBe(401);
    const hidden = await chat(TOKENS.eve, 'acme/endless');
    const missing = await chat(TOKENS.eve, 'acme/nothing');
    expect([hidden.status, missing.status]).toEqual([404, 404]);
    expect(JSON.stringify(hidden.json).replace('endless', 'nothing')).toBe(JSON.stringify(missing.json));
    expect((await chat(TOKENS.eve, 'x', '/endpoints/acme/endless/v1')).status).toBe(404);
    expect((await call(hub, 'GET', '/api/endpoints/acme/endless', TOKENS.eve)).status).toBe(404);
    expect((await call(hub, 'POST', '/api/endpoints/acme/endless/stop', TOKENS.bob)).status).toBe(403);
    expect((await call(hub, 'POST', '/api/endpoints/ada/scripted/stop', TOKENS.adaRead)).status).toBe(403);
    expect((await call(hub, 'POST', '/api/endpoints/ada/scripted/stop', TOKENS.eve)).status).toBe(403);
  });

  it('refuses bad input in the shape openai clients read, naming what is wrong', async () => {
    const post = (body: unknown) => call(hub, 'POST', '/v1/chat/completions', TOKENS.ada, body);
    const message = async (body: unknown) => {
      const { status, json } = await post(body);
      return [status, (json.error as { message: string }).message] as const;
    };
    expect(await message('{')).toEqual([400, 'the request body is not valid JSON']);
    expect(await message([])).toEqual([400, 'the request body must be a JSON object']);
    expect((await message({ messages }))[1]).toMatch(/"model": required/);
    expect((await message({ model: 'ada/scripted', messages: 'x' }))[1]).toMatch(/"messages"/);
    expect((await message({ model: 'ada/scripted', messages, n: 3 }))[1]).toMatch(/one answer/);
    expect((await message({ model: 'ada/scripted', messages, tools: [{}] }))[1]).toMatch(/tools/);
    const long = await message({
      model: 'ada/scripted',
      messages: [{ role: 'user', content: 'x'.repeat(20_000) }],
    });
    expect(long).toEqual([400, expect.stringMatching(/has \d+ tokens; this endpoint takes at most 4096/)]);
    const image = [
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }] },
    ];
    expect((await message({ model: 'ada/scripted', messages: image }))[1]).toMatch(/reads text only/);
    expect(await statusOf10GB()).toBe(413);
  });

  it('H131: a client that leaves ends the work of the engine within a second', async () => {
    const abort = new AbortController();
    const stream = await client(TOKENS.bob).chat.completions.create(
      { model: 'acme/endless', messages, stream: true },
      { signal: abort.signal },
    );
    let count = 0;
    const reading = (async () => {
      for await (const _ of stream) if (++count === 20) abort.abort();
    })();
    await reading.catch(() => {});
    expect(count).toBeGreaterThanOrEqual(20);
    const events = await readEvents(hub, 'acme/endless', (seen) =>
      seen.some((e) => String(e.data.line).includes('the caller went away')),
    );
    expect(events.at(-1)?.event).toBe('log');
  }, 120_000);

  it('serves more requests at once than the engine has places, each whole', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, () => streamed(client(TOKENS.eve), 'ada/scripted', false)),
    );
    expect(all.map((a) => a.text)).toEqual(Array.from({ length: 8 }, () => SCRIPTED_SENTENCE));
  }, 120_000);

  it('H129: only what we know of comes through from the engine, and no upgrade', async () => {
    const answer = await fetch(`${hub.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKENS.ada}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'ada/scripted', messages }),
    });
    const ours = [
      'cache-control',
      'connection',
      'content-length',
      'content-type',
      'date',
      'keep-alive',
      'vary',
    ];
    const names = [...answer.headers.keys()].filter(
      (n) => !n.startsWith('x-') && !n.startsWith('access-control-'),
    );
    expect(names.filter((n) => !ours.includes(n))).toEqual([]);
    const status = await new Promise((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'websocket', authorization: `Bearer ${TOKENS.ada}` };
      const req = request(`${hub.url}/endpoints/ada/scripted/v1/chat/completions`, { headers });
      req.on('response', (res) => resolve(res.resume().statusCode));
      req.on('error', reject);
      req.end();
    });
    expect(status).toBe(426);
  });

  it('counts every request and token once, for all to see on the endpoint', async () => {
    const usageNow = async () =>
      (await call(hub, 'GET', '/api/endpoints/ada/scripted', TOKENS.ada)).json.usage as Record<
        string,
        number
      >;
    await new Promise((resolve) => setTimeout(resolve, 6_000)); // all earlier ones are flushed
    const before = await usageNow();
    for (let i = 0; i < 3; i++) await streamed(client(TOKENS.ada), 'ada/scripted', false);
    const after = await eventually(async () => {
      const now = await usageNow();
      return (now.requests ?? 0) >= (before.requests ?? 0) + 3 ? now : null;
    }, 'usage flushed');
    expect((after.requests ?? 0) - (before.requests ?? 0)).toBe(3);
    expect((after.completionTokens ?? 0) - (before.completionTokens ?? 0)).toBe(45);
  }, 120_000);

  it('H130: an engine that dies in the middle of a stream gives a broken stream, never a short success', async () => {
    const stream = await client(TOKENS.bob).chat.completions.create({
      model: 'acme/endless',
      messages,
      stream: true,
    });
    const pids = await enginePids(hub.dataDir);
    const { readFile } = await import('node:fs/promises');
    const named = await Promise.all(
      pids.map(async (pid) => ({ pid, line: await readFile(`/proc/${pid}/cmdline`, 'utf8') })),
    );
    const engine = named.find((p) => p.line.includes('--model-name=acme/endless'));
    let count = 0;
    const reading = (async () => {
      for await (const _ of stream) if (++count === 10 && engine) process.kill(engine.pid, 'SIGKILL');
    })();
    await expect(reading).rejects.toThrow();
  }, 120_000);

  it('says that an endpoint is coming up with 503 and Retry-After, and that a stopped one must be resumed', async () => {
    if (hub.workerPid === null) throw new Error('no worker');
    await uploadModel(hub, 'ada/later', scriptedModel());
    process.kill(hub.workerPid, 'SIGSTOP');
    try {
      await deploy(hub, 'ada/later');
      const early = await call(hub, 'POST', '/v1/chat/completions', TOKENS.ada, {
        model: 'ada/later',
        messages,
      });
      expect(early.status).toBe(503);
      expect(Number(early.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((early.json.error as { message: string }).message).toMatch(/ada\/later is not ready yet/);
    } finally {
      process.kill(hub.workerPid, 'SIGCONT');
    }
    await untilSeen(hub, 'ada/later', 'ready');
    await call(hub, 'POST', '/api/endpoints/ada/later/stop', TOKENS.ada);
    const late = await call(hub, 'POST', '/v1/chat/completions', TOKENS.ada, {
      model: 'ada/later',
      messages,
    });
    expect([late.status, (late.json.error as { message: string }).message]).toEqual([
      400,
      'ada/later is stopped: resume it on its page, then ask again.',
    ]);
  }, 180_000);

  it('tells the story of an endpoint as it happens, resumes it from the last event, and ends with its end', async () => {
    const all = await readEvents(hub, 'ada/later', (seen) =>
      seen.some((e) => e.event === 'state' && e.data.state === 'stopped'),
    );
    expect(all[0]?.event).toBe('endpoint');
    const states = all.flatMap((e) => (e.event === 'state' && e.data.state ? [e.data.state] : []));
    expect(states).toEqual(['pending', 'pulling', 'starting', 'ready', 'stopped']);
    const third = all.filter((e) => e.id !== null)[2];
    const rest = await readEvents(
      hub,
      'ada/later',
      (seen) => seen.some((e) => e.event === 'state' && e.data.state === 'stopped'),
      third?.id ?? '',
    );
    const ids = (events: typeof all) => events.flatMap((e) => (e.id === null ? [] : [e.id]));
    expect(ids(rest)).toEqual(ids(all).slice(3));
    const ending = readEvents(hub, 'ada/later', () => false);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await call(hub, 'DELETE', '/api/endpoints/ada/later', TOKENS.ada)).status).toBe(200);
    expect((await ending).at(-1)?.event).toBe('deleted');
    expect((await call(hub, 'GET', '/api/endpoints/ada/later', TOKENS.ada)).status).toBe(404);
  }, 120_000);

  it('H141: fifty clicks at once make one endpoint', async () => {
    await uploadModel(hub, 'ada/popular', scriptedModel());
    const all = await Promise.all(
      Array.from({ length: 50 }, () =>
        call(hub, 'POST', '/api/endpoints', TOKENS.ada, { repo: { namespace: 'ada', name: 'popular' } }),
      ),
    );
    expect(new Set(all.map((a) => a.json.id)).size).toBe(1);
    expect(all.filter((a) => a.status === 201)).toHaveLength(1);
    expect(all.every((a) => a.status === 200 || a.status === 201)).toBe(true);
    await call(hub, 'DELETE', '/api/endpoints/ada/popular', TOKENS.ada);
  }, 120_000);

  it('a stranger deploys a public model under their own name, and cannot deploy what is not deployable', async () => {
    const endpoint = await deploy(hub, 'ada/scripted', TOKENS.eve);
    expect(endpoint.fullName).toBe('eve/scripted');
    await call(hub, 'DELETE', '/api/endpoints/eve/scripted', TOKENS.eve);
    const post = (token: string | null, repo: unknown, more = {}) =>
      call(hub, 'POST', '/api/endpoints', token, { repo, ...more });
    expect((await post(TOKENS.eve, { namespace: 'acme', name: 'endless' })).status).toBe(404);
    expect((await post(null, { namespace: 'ada', name: 'scripted' })).status).toBe(401);
    expect((await post(TOKENS.adaRead, { namespace: 'ada', name: 'scripted' })).status).toBe(403);
    const extra = await post(
      TOKENS.ada,
      { namespace: 'ada', name: 'scripted' },
      { args: ['--trust-remote-code'] },
    );
    expect(extra.status).toBe(400);
    await call(hub, 'POST', '/api/repos/create', TOKENS.ada, { name: 'empty', organization: 'ada' });
    const empty = await post(TOKENS.ada, { namespace: 'ada', name: 'empty' });
    expect([empty.status, empty.json.error]).toEqual([400, expect.stringMatching(/no \.gguf file/)]);
  }, 120_000);

  it('a server that is asked to stop ends open event streams in order and does not wait for their readers', async () => {
    if (hub.serverPid === null) throw new Error('no server');
    const pid = hub.serverPid;
    const seen = readEvents(hub, 'ada/scripted', () => false);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const askedMs = performance.now();
    process.kill(pid, 'SIGTERM');
    expect((await seen).length).toBeGreaterThan(0); // it ended, and was not cut
    await eventually(async () => hub.serverPid === null, 'server gone');
    expect(performance.now() - askedMs).toBeLessThan(8_000); // the time limit for what hangs is 10 s
    await hub.restart();
  }, 60_000);

  it('H128: nothing that was asked stands in any log', () => {
    expect(hub.logs()).not.toContain(CANARY);
    expect(hub.logs()).toContain('worker ready');
  });
});

import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '#lib/base/config.ts';
import { createDb } from '#lib/base/db.ts';
import { engineToken } from '#lib/endpoints/engine-token.ts';
import { rootKey } from '#lib/identity/root-key.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { scriptedModel } from '#tests/support/scripted-model.ts';
import { timed } from './children.ts';
import type { Figure } from './main.ts';

const FIRST_TOKEN_PAIRS = 60;
const SPEED_ROUNDS = 4;
const SPEED_TOKENS = 160;

interface Target {
  readonly url: string;
  readonly token: string;
  readonly model: string;
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

async function deploy(hub: Hub, python: string, name: string, file: string, home: string): Promise<void> {
  const hf = join(dirname(python), 'hf');
  const env = {
    HF_ENDPOINT: hub.url,
    HF_TOKEN: hub.adminToken,
    HF_HOME: home,
    HF_HUB_DISABLE_PROGRESS_BARS: '1',
  };
  await timed(hf, ['upload', `admin/${name}`, file, 'model.gguf'], env);
  const headers = { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ repo: { type: 'model', namespace: 'admin', name } });
  const created = await fetch(`${hub.url}/api/endpoints`, { method: 'POST', headers, body });
  if (!created.ok) throw new Error(`deploy ${name}: ${created.status} ${await created.text()}`);
  for (const deadline = Date.now() + 90_000; ; ) {
    const view = (await (await fetch(`${hub.url}/api/endpoints/admin/${name}`, { headers })).json()) as {
      state: string;
      message: string;
    };
    if (view.state === 'ready') return;
    if (view.state === 'failed' || Date.now() > deadline)
      throw new Error(`${name} is ${view.state}: ${view.message}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Where the engine itself listens, with the token it wants. */
async function engineOf(hub: Hub, name: string): Promise<Target> {
  const config = loadConfig({ DATABASE_URL: hub.databaseUrl, NODE_ENV: 'production' }, '/dev/null');
  const db = createDb({ url: hub.databaseUrl, maxConnections: 2, applicationName: 'bench' });
  const { rows } = await db.query<{ id: string; url: string }>(
    `select r.id, r.url from replica r join endpoint e on e.id = r.endpoint_id where e.name = $1 and r.state = 'ready'`,
    [name],
  );
  const key = await rootKey(db, config);
  await db.end();
  const replica = rows[0];
  if (!replica) throw new Error(`no ready replica of ${name}`);
  return { url: `${replica.url}/v1`, token: engineToken({ rootKey: key }, replica.id), model: 'any' };
}

/** One streamed chat: milliseconds to the first token, and tokens per second after it. */
async function chat(
  target: Target,
  maxTokens: number,
): Promise<{ firstMs: number; tokensPerSecond: number }> {
  const startedMs = performance.now();
  const res = await fetch(`${target.url}/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${target.token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: target.model,
      stream: true,
      temperature: 0,
      max_tokens: maxTokens,
      messages: [{ role: 'user', content: 'Tell me a long story about a pantry and a lamp.' }],
    }),
  });
  if (!res.ok || !res.body) throw new Error(`${target.url}: ${res.status} ${await res.text()}`);
  let firstMs = 0;
  let tokens = 0;
  const decoder = new TextDecoder();
  for await (const bytes of res.body as unknown as AsyncIterable<Uint8Array>) {
    const contents = decoder.decode(bytes, { stream: true }).match(/"content":"(?!")/g)?.length ?? 0;
    if (contents > 0 && tokens === 0) firstMs = performance.now() - startedMs;
    tokens += contents;
  }
  const seconds = (performance.now() - startedMs - firstMs) / 1000;
  return { firstMs, tokensPerSecond: tokens / seconds };
}

/**
 * The gateway against the engine it talks to, in turns: added time to the first token on a model that answers at
 * once, and share of tokens per second kept on a real one (SmolLM2-135M).
 */
export async function benchGateway(): Promise<Figure[]> {
  const python = process.env.LARDER_TEST_PYTHON;
  const smollm2 = process.env.LARDER_TEST_SMOLLM2_GGUF;
  if (!python || !smollm2)
    throw new Error('LARDER_TEST_PYTHON or LARDER_TEST_SMOLLM2_GGUF is not set: run through npm run bench');
  const dir = await mkdtemp(join(tmpdir(), 'larder-bench-'));
  const hub = await startHub({ worker: true, env: { LOG_LEVEL: 'warn' } });
  try {
    await mkdir(join(dir, 'm'));
    const scripted = join(dir, 'm', 'scripted.gguf');
    const real = join(dir, 'm', 'real.gguf');
    await writeFile(scripted, scriptedModel());
    await copyFile(smollm2, real);
    await deploy(hub, python, 'bench-scripted', scripted, join(dir, 'hf'));
    const through = (name: string): Target => ({
      url: `${hub.url}/v1`,
      token: hub.adminToken,
      model: `admin/${name}`,
    });

    const direct = await engineOf(hub, 'bench-scripted');
    for (let i = 0; i < 10; i++) await chat(i % 2 ? direct : through('bench-scripted'), 4);
    const directMs: number[] = [];
    const throughMs: number[] = [];
    for (let i = 0; i < FIRST_TOKEN_PAIRS; i++) {
      directMs.push((await chat(direct, 4)).firstMs);
      throughMs.push((await chat(through('bench-scripted'), 4)).firstMs);
    }
    const addedMs = median(throughMs) - median(directMs);

    await deploy(hub, python, 'bench-real', real, join(dir, 'hf'));
    const realDirect = await engineOf(hub, 'bench-real');
    await chat(realDirect, 8);
    const ratios: number[] = [];
    const speeds: number[] = [];
    for (let i = 0; i < SPEED_ROUNDS; i++) {
      const own = await chat(realDirect, SPEED_TOKENS);
      const gateway = await chat(through('bench-real'), SPEED_TOKENS);
      ratios.push(gateway.tokensPerSecond / own.tokensPerSecond);
      speeds.push(gateway.tokensPerSecond);
    }
    return [
      {
        name: 'gateway: added median time to first token',
        value: addedMs,
        unit: 'ms',
        limit: 5,
        good: 'at most',
        detail: `${median(throughMs).toFixed(1)} ms against ${median(directMs).toFixed(1)} ms`,
      },
      {
        name: 'gateway: tokens per second / engine alone',
        value: median(ratios),
        unit: '×',
        limit: 0.95,
        good: 'at least',
        detail: `${median(speeds).toFixed(0)} tokens/s, SmolLM2-135M Q4_1`,
      },
    ];
  } finally {
    await hub.stop();
    await rm(dir, { recursive: true, force: true });
  }
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newId } from '#lib/base/ids.ts';
import { createEndpoint } from '#lib/endpoints/create-endpoint.ts';
import { engineToken } from '#lib/endpoints/engine-token.ts';
import { createToken } from '#lib/identity/create-token.ts';
import { routes } from '#lib/wire/gateway/routes.ts';
import { makeUser } from '#tests/repos/people.ts';
import { scriptedModel } from '#tests/support/scripted-model.ts';
import { startWire, type TestWire } from '#tests/support/wire.ts';
import { eventually } from './engine-room.ts';
import { makeModel } from './model-repo.ts';

/** An engine as an attacker would write it, behind the real gateway: what it does is set by each test. */
let behave: (req: IncomingMessage, res: ServerResponse, body: string) => void;
let engine: Server;
let wire: TestWire;
let token: string;
let requests = 0;
const closed: string[] = [];

const event = (data: unknown) => `data: ${JSON.stringify(data)}\n\n`;
const delta = (content: string) => event({ choices: [{ delta: { content } }] });

beforeAll(async () => {
  engine = createServer({ keepAliveTimeout: 60_000 }, (req, res) => {
    requests++;
    const parts: Buffer[] = [];
    req.on('data', (part: Buffer) => parts.push(part));
    req.on('end', () => behave(req, res, Buffer.concat(parts).toString()));
    res.on('close', () => closed.push(res.writableFinished ? 'finished' : 'cut'));
  });
  await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
  wire = await startWire(routes);
  const ada = await makeUser(wire.app.db, 'ada');
  const ctx = wire.ctxFor({ ...ada, via: 'session', token: null });
  await makeModel(ctx, 'm', scriptedModel());
  const { endpoint } = await createEndpoint(ctx, { type: 'model', namespace: 'ada', name: 'm' });
  token = (await createToken(ctx, { name: 't', role: 'read' })).token;
  const url = `http://127.0.0.1:${(engine.address() as AddressInfo).port}`;
  await wire.app.db.query(
    `INSERT INTO replica (id, endpoint_id, generation, node, state, url, ready_at) VALUES ($1, $2, 1, 'x', 'ready', $3, now())`,
    [newId(), endpoint.id, url],
  );
  await wire.app.db.query(`UPDATE endpoint SET state = 'ready'`);
});

afterAll(async () => {
  engine.closeAllConnections();
  engine.close();
  await wire.close();
});

beforeEach(() => {
  requests = 0;
  closed.length = 0;
});

const ask = (body: object = {}, signal?: AbortSignal) =>
  fetch(`${wire.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'ada/m', messages: [], ...body }),
    ...(signal ? { signal } : {}),
  });

describe('the gateway before a hostile engine', () => {
  it('shows the engine its own token and never the caller’s credentials', async () => {
    let seen: IncomingMessage['headers'] = {};
    behave = (req, res) => {
      seen = req.headers;
      res.end('{}');
    };
    await fetch(`${wire.url}/endpoints/ada/m/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, cookie: 'session=secret', 'x-evil': '1' },
      body: '{}',
    });
    const { rows } = await wire.app.db.query<{ id: string }>('SELECT id FROM replica');
    expect(seen.authorization).toBe(`Bearer ${engineToken(wire.app, rows[0]?.id ?? '')}`);
    expect(Object.keys(seen).sort()).toEqual([
      'authorization',
      'connection',
      'content-length',
      'content-type',
      'host',
    ]);
  });

  it('H129: lets none of its headers through but the kind of answer', async () => {
    behave = (_req, res) => {
      res.writeHead(200, {
        'set-cookie': 'session=stolen',
        location: 'http://evil.example',
        'strict-transport-security': 'max-age=1',
        'content-security-policy': 'none',
        'access-control-allow-origin': 'http://evil.example',
        'content-type': 'text/html',
        'x-repo-commit': 'f'.repeat(40),
      });
      res.end('<script>alert(1)</script>');
    };
    const answer = await ask();
    for (const name of [
      'set-cookie',
      'location',
      'strict-transport-security',
      'content-security-policy',
      'x-repo-commit',
    ])
      expect(answer.headers.get(name)).toBeNull();
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(answer.headers.get('access-control-allow-origin')).not.toBe('http://evil.example');
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('H129: headers without end and broken HTTP become 503 in OpenAI’s shape', async () => {
    behave = (_req, res) => res.socket?.end(`HTTP/1.1 200 OK\r\nx: ${'a'.repeat(1_000_000)}\r\n\r\n`);
    const answer = await ask();
    expect(answer.status).toBe(503);
    expect(((await answer.json()) as { error: { code: string } }).error.code).toBe('not_ready');
    behave = (_req, res) => res.socket?.end('garbage\r\n\r\n');
    expect((await ask()).status).toBe(503);
  });

  it('H130: a stream that breaks off, ends without [DONE] or lies about its length breaks the client’s too', async () => {
    const head = { 'content-type': 'text/event-stream' };
    const ways: (typeof behave)[] = [
      (_req, res) => {
        res.writeHead(200, head);
        res.write(delta('half'), () => res.socket?.destroy());
      },
      (_req, res) => {
        res.writeHead(200, head);
        res.end(delta('half'));
      },
      (_req, res) => {
        res.writeHead(200, { ...head, 'content-length': 1000 });
        res.write(delta('half'), () => res.socket?.destroy());
      },
    ];
    for (const way of ways) {
      behave = way;
      const answer = await ask({ stream: true });
      expect(answer.status).toBe(200);
      await expect(answer.text()).rejects.toThrow();
    }
  });

  it('a whole answer that breaks off is an error, not half an answer', async () => {
    behave = (_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 });
      res.write('{"choices":[', () => res.socket?.destroy());
    };
    expect((await ask()).status).toBeGreaterThanOrEqual(500);
  });

  it('answers before the engine has read the body are fine, and status and message of its refusals pass', async () => {
    behave = (_req, res) => {
      res.writeHead(429, { 'content-type': 'application/json', 'retry-after': '7' });
      res.end('{"error":{"message":"slow down","type":"x","code":"y"}}');
    };
    const answer = await ask();
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7']);
    expect(await answer.json()).toMatchObject({ error: { message: 'slow down' } });
  });

  it('H126: another replica’s engine on the same port is never taken for ours', async () => {
    behave = (_req, res) => res.writeHead(401).end('{}');
    expect((await ask()).status).toBe(503);
  });

  it('an engine that hangs up kept sockets costs no request: one retry, before any byte', async () => {
    behave = (_req, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
    expect((await ask()).status).toBe(200);
    const kept: ServerResponse['socket'][] = [];
    behave = (_req, res) => {
      if (requests === 1) return void res.socket?.destroy(); // the reused one
      kept.push(res.socket);
      res.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}');
    };
    requests = 0;
    const answer = await ask();
    expect([answer.status, requests]).toEqual([200, 2]);
  });

  it('H131: asked for usage though the client did not, and strips it; passes it on when asked', async () => {
    const bodies: { stream_options?: unknown; model?: string }[] = [];
    behave = (_req, res, body) => {
      bodies.push(JSON.parse(body) as { stream_options?: unknown });
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end(
        `${delta('hi')}${event({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 1 } })}data: [DONE]\n\n`,
      );
    };
    expect(await (await ask({ stream: true })).text()).toBe(`${delta('hi')}data: [DONE]\n\n`);
    expect(await (await ask({ stream: true, stream_options: { include_usage: true } })).text()).toContain(
      '"usage"',
    );
    expect(bodies.map((b) => b.stream_options)).toEqual([{ include_usage: true }, { include_usage: true }]);
    expect(bodies[0]?.model).toBe('ada/m');
  });

  it('H131: when the client goes away the engine knows within a second, before and in the middle of the answer', async () => {
    for (const isSilent of [true, false]) {
      closed.length = 0;
      requests = 0;
      behave = (_req, res) => {
        if (isSilent) return;
        res.writeHead(200, { 'content-type': 'text/event-stream' });
        res.write(delta('a'));
      };
      const abort = new AbortController();
      const asking = ask({ stream: true }, abort.signal);
      if (isSilent) asking.catch(() => {});
      else await asking;
      await eventually(async () => requests === 1, 'engine asked', 5_000);
      const leftMs = performance.now();
      abort.abort();
      await eventually(async () => closed.includes('cut'), 'engine told', 5_000);
      expect(performance.now() - leftMs).toBeLessThan(1_000);
    }
  });

  it('P11: a client that does not read holds the engine back instead of filling our memory', async () => {
    let written = 0;
    const engineSide = { isOpen: true };
    behave = async (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const block = delta('x'.repeat(60_000));
      const gone = once(res, 'close').then(() => {
        engineSide.isOpen = false;
        return undefined;
      });
      while (engineSide.isOpen && written < 400_000_000) {
        written += block.length;
        if (!res.write(block))
          await Promise.race([new Promise((resolve) => res.once('drain', resolve)), gone]);
      }
    };
    const { port } = new URL(wire.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.pause();
    const body = JSON.stringify({ model: 'ada/m', messages: [], stream: true });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\n` +
        `content-length: ${body.length}\r\n\r\n${body}`,
    );
    let last = -1;
    await eventually(async () => {
      const isStill = written > 0 && written === last;
      last = written;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return isStill;
    }, 'engine held back');
    expect(written).toBeLessThan(40_000_000); // what the kernel's socket buffers take, and no more
    socket.destroy();
    await eventually(async () => !engineSide.isOpen, 'engine released', 5_000);
  });

  it('H131: beyond 128 requests at work on one endpoint the next is refused with 429 and Retry-After', async () => {
    const waiting: ServerResponse[] = [];
    behave = (_req, res) => void waiting.push(res);
    const all = Array.from({ length: 128 }, () => ask().then((a) => a.status));
    await eventually(async () => waiting.length === 128, 'all at work');
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).not.toBeNull();
    for (const res of waiting) res.end('{}');
    expect(new Set(await Promise.all(all))).toEqual(new Set([200]));
    behave = (_req, res) => res.end('{}');
    expect((await ask()).status).toBe(200);
  });
});

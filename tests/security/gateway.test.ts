import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HostileHub, sendRaw, startHostileHub, TOKENS } from './hostile-hub.ts';

/** An engine that does to the gateway whatever the test wants, behind an endpoint that is ready. */
let hub: HostileHub;
let behave: (req: IncomingMessage, res: ServerResponse) => void = (_req, res) => res.end('{}');
const engine = createServer((req, res) => behave(req, res));
const ask = (body: unknown = { messages: [] }) =>
  hub.ask('/endpoints/alice/served/v1/chat/completions', { body });

beforeAll(async () => {
  hub = await startHostileHub();
  await hub.createRepo('served');
  await new Promise<void>((resolve) => engine.listen(0, '127.0.0.1', resolve));
  const { db } = hub.app;
  await db.query(
    `INSERT INTO endpoint (id, namespace_id, name, name_key, repo_id, commit_oid, path, sha256, engine, desired, state, created_by)
     SELECT $1, r.namespace_id, 'served', 'served', r.id, $2, 'm.gguf', $3, 'llama-cpp-node', 'running', 'ready', r.created_by
     FROM repo r WHERE r.name_key = 'served'`,
    ['e'.repeat(24), Buffer.alloc(20), Buffer.alloc(32)],
  );
  await db.query(
    `INSERT INTO replica (id, endpoint_id, generation, node, url, state)
     SELECT $1, id, generation, 'test', $2, 'ready' FROM endpoint`,
    ['f'.repeat(24), `http://127.0.0.1:${(engine.address() as AddressInfo).port}`],
  );
});
afterAll(async () => {
  engine.closeAllConnections();
  engine.close();
  await hub.close();
});

test('a request nested beyond what can be written again is refused, not an error of ours', async () => {
  const nested = `${'['.repeat(200_000)}${']'.repeat(200_000)}`;
  const answer = await hub.ask('/endpoints/alice/served/v1/chat/completions', {
    body: `{"messages":${nested}}`,
    headers: { 'content-type': 'application/json' },
  });
  expect(answer.status, answer.text.slice(0, 300)).toBe(400);
  expect(JSON.parse(answer.text)).toMatchObject({ error: { type: 'invalid_request_error' } });
});

test('no header of an engine but the allowed ones reaches the client, and none of the client’s credentials the engine', async () => {
  let seen: IncomingMessage['headers'] = {};
  behave = (req, res) => {
    seen = req.headers;
    res.writeHead(200, {
      'content-type': 'application/json',
      'set-cookie': 'next-auth.session-token=evil',
      location: 'http://evil.example/',
      'strict-transport-security': 'max-age=1',
      'content-security-policy': 'default-src *',
      'x-error-code': 'RepoNotFound',
      'access-control-allow-credentials': 'true',
      'www-authenticate': 'Basic',
      link: '</evil>; rel=preload',
    });
    res.end('{"choices":[]}');
  };
  const answer = await hub.ask('/endpoints/alice/served/v1/chat/completions', {
    body: { messages: [] },
    headers: { cookie: 'next-auth.session-token=secret', 'x-forwarded-for': '203.0.113.1' },
  });
  expect([answer.status, answer.text]).toEqual([200, '{"choices":[]}']);
  for (const name of [
    'set-cookie',
    'location',
    'strict-transport-security',
    'content-security-policy',
    'x-error-code',
    'access-control-allow-credentials',
    'www-authenticate',
    'link',
  ])
    expect(answer.headers.get(name), name).toBeNull();
  expect(JSON.stringify(seen)).not.toContain(TOKENS.alice);
  expect(seen.cookie).toBeUndefined();
  expect(seen['x-forwarded-for']).toBeUndefined();
});

test.each([
  ['breaks off before its answer', (_req: IncomingMessage, res: ServerResponse) => res.destroy()],
  [
    'breaks off inside a JSON answer',
    (_req: IncomingMessage, res: ServerResponse) => {
      res.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
      res.write('{"choices":[');
      setTimeout(() => res.destroy(), 50);
    },
  ],
  [
    'breaks off inside a stream',
    (_req: IncomingMessage, res: ServerResponse) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.write('data: {"choices":[]}\n\n');
      setTimeout(() => res.destroy(), 50);
    },
  ],
  [
    'ends a stream without saying that it is done',
    (_req: IncomingMessage, res: ServerResponse) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      res.end('data: {"choices":[]}\n\n');
    },
  ],
  [
    'sends headers of a megabyte',
    (_req: IncomingMessage, res: ServerResponse) => {
      res.writeHead(200, { 'x-big': 'a'.repeat(1_000_000) });
      res.end('{}');
    },
  ],
  [
    'sends an event that never ends',
    (_req: IncomingMessage, res: ServerResponse) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => res.write('x'.repeat(1_000_000)), 5);
      res.on('close', () => clearInterval(timer));
    },
  ],
] as const)(
  'an engine that %s: the client never takes it for a whole answer, and the next request is served',
  async (_what, how) => {
    behave = how;
    const broken = await ask({ messages: [], stream: true }).catch(() => null);
    if (broken !== null) expect(broken.status, broken.text.slice(0, 200)).toBeGreaterThanOrEqual(500);
    behave = (_req, res) => res.end('{"choices":[]}');
    expect((await ask()).status).toBe(200);
  },
  20_000,
);

test('a client that leaves ends the work of the engine', async () => {
  const ended = new Promise<boolean>((resolve) => {
    behave = (_req, res) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' });
      const timer = setInterval(() => res.write('data: {"choices":[]}\n\n'), 20);
      res.on('close', () => {
        clearInterval(timer);
        resolve(true);
      });
    };
  });
  const body = '{"messages":[],"stream":true}';
  await sendRaw(
    hub.url,
    `POST /endpoints/alice/served/v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKENS.alice}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    { waitMs: 300 },
  );
  expect(await Promise.race([ended, new Promise((resolve) => setTimeout(() => resolve(false), 3_000))])).toBe(
    true,
  );
});

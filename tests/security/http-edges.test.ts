import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createDispatcher } from '#lib/wire/dispatch.ts';
import { BasedResponse } from '#lib/wire/respond.ts';
import { route } from '#lib/wire/route.ts';
import { routes } from '#lib/wire/routes.ts';
import {
  everything,
  file,
  type HostileHub,
  header,
  sendRaw,
  startHostileHub,
  TOKENS,
} from './hostile-hub.ts';

let hub: HostileHub;
const large = randomBytes(300_000);
const oid = createHash('sha256').update(large).digest('hex');

const pathOf = (href: string) => href.replace(/^https?:\/\/[^/]+/, '');

/** Link to PUT a file of this hash to. */
async function uploadPath(sha256: string, size: number): Promise<string> {
  const answer = await hub.ask('/alice/open.git/info/lfs/objects/batch', {
    body: { operation: 'upload', objects: [{ oid: sha256, size }] },
  });
  const { objects } = JSON.parse(answer.text) as { objects: [{ actions: { upload: { href: string } } }] };
  return pathOf(objects[0].actions.upload.href);
}

beforeAll(async () => {
  hub = await startHostileHub();
  await hub.createRepo('open');
  const put = await hub.ask(await uploadPath(oid, large.length), {
    method: 'PUT',
    as: 'nobody',
    body: large,
  });
  if (put.status !== 200) throw new Error(put.text);
  const answer = await hub.commit('alice/open', [
    header,
    file('small.txt', 'small text'),
    file('empty.txt', ''),
    { key: 'lfsFile', value: { path: 'large.bin', algo: 'sha256', oid, size: large.length } },
  ]);
  if (answer.status !== 200) throw new Error(answer.text);
});
afterAll(() => hub.close());

const commitHead = (length: string) =>
  `POST /api/models/alice/open/commit/main HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKENS.alice}\r\n` +
  `Content-Type: application/x-ndjson\r\n${length}\r\n\r\n`;
const body = [header, file('lied.txt')].map((line) => JSON.stringify(line)).join('\n');

describe('a body that is not as long as it says', () => {
  const unchanged = async (send: () => Promise<unknown>) => {
    const before = await everything(hub.app);
    await send();
    await new Promise((resolve) => setTimeout(resolve, 300)); // what a broken-off request would do, it has done by then
    expect(await everything(hub.app)).toEqual(before);
  };

  test('a commit that stops half-way and hangs up leaves nothing', async () => {
    const pieces = [commitHead(`Content-Length: ${body.length + 500}`), `${body}\n`];
    await unchanged(() => sendRaw(hub.url, pieces, { waitMs: 300 }));
  });

  test('a chunked commit without its last chunk leaves nothing', async () => {
    const pieces = [commitHead('Transfer-Encoding: chunked'), `${body.length.toString(16)}\r\n${body}\r\n`];
    await unchanged(() => sendRaw(hub.url, pieces, { waitMs: 300 }));
  });

  test('a commit that is longer than it says is read to its length only, and the rest is no request', async () => {
    await unchanged(async () => {
      const { statuses } = await sendRaw(hub.url, commitHead('Content-Length: 100') + body, {
        waitMs: 2_000,
      });
      expect(statuses[0]).toBe(400);
      expect(statuses.filter((status) => status < 400)).toEqual([]);
    });
  });

  test.each(['-1', '+5', '1e3', '0x10', '5,5', '5 5', '99999999999999999999', 'NaN', ''])(
    'Content-Length: %j is refused before anything is read',
    async (length) => {
      await unchanged(async () => {
        const { statuses } = await sendRaw(hub.url, commitHead(`Content-Length: ${length}`) + body, {
          waitMs: 1_500,
        });
        expect(statuses.filter((status) => status < 400)).toEqual([]);
      });
    },
  );

  test('a large file that stops half-way, by PUT, leaves no object, no row and no temporary file that counts', async () => {
    const bytes = randomBytes(2_000_000);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const path = await uploadPath(sha256, bytes.length);
    const head = `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`;
    await unchanged(() =>
      sendRaw(hub.url, [head, bytes.subarray(0, 1_000_000).toString('latin1')], { waitMs: 500 }),
    );
    const whole = await hub.ask(path, { method: 'PUT', as: 'nobody', body: bytes });
    expect(whole.status, 'the link still works for the whole file').toBe(200);
  });
});

describe('HEAD tells what GET would', () => {
  const commit = '/api/models/alice/open';
  const addresses = [
    '/alice/open/resolve/main/small.txt',
    '/alice/open/resolve/main/empty.txt',
    '/alice/open/resolve/main/large.bin',
    '/alice/open/resolve/main/nothing',
    '/alice/open/raw/main/large.bin',
    '/alice/open/raw/main/small.txt',
    commit,
    `${commit}/revision/main`,
    `${commit}/revision/nothing`,
    `${commit}/tree/main?limit=1`,
    `${commit}/refs`,
    `${commit}/commits/main`,
    '/api/models/alice/nothing',
    '/api/models?limit=1',
    '/api/whoami-v2',
    '/api/agent-harnesses',
  ];
  test.each(addresses)('%s', async (address) => {
    const [get, ahead] = await Promise.all(
      ['GET', 'HEAD'].map(async (method) => {
        const answer = await hub.ask(address, { method, headers: { 'x-request-id': 'same' } });
        const headers = Object.fromEntries(answer.headers);
        for (const own of ['date', 'connection', 'keep-alive']) delete headers[own]; // of the connection, not the answer
        return { status: answer.status, headers, text: answer.text };
      }),
    );
    expect(ahead?.status).toBe(get?.status);
    expect(ahead?.headers).toEqual(get?.headers);
    expect(ahead?.text).toBe('');
  });
});

describe('bytes are sent as they are, and conditions never mix two files', () => {
  test.each(['small.txt', 'large.bin', 'empty.txt'])(
    '%s is not compressed, whatever the client accepts',
    async (name) => {
      for (const encoding of ['gzip', 'gzip, deflate, br', '*', 'identity;q=0']) {
        const { text } = await sendRaw(
          hub.url,
          `GET /alice/open/resolve/main/${name} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: ${encoding}\r\nConnection: close\r\n\r\n`,
        );
        const [head = '', ...rest] = text.split('\r\n\r\n');
        expect(head).not.toMatch(/content-encoding/i);
        expect(rest.join('\r\n\r\n').length).toBe(Number(/content-length: (\d+)/i.exec(head)?.[1]));
      }
    },
  );

  const contents: Record<string, Buffer> = { 'small.txt': Buffer.from('small text'), 'large.bin': large };
  test.each(Object.keys(contents))(
    '%s: If-None-Match, If-Range and Range end in the file, a true part of it, or 304',
    async (name) => {
      const bytes = contents[name] as Buffer;
      const address = `/alice/open/resolve/main/${name}`;
      const get = (headers: Record<string, string>) => hub.ask(address, { as: 'nobody', headers });
      const etag = (await get({})).headers.get('etag') ?? '';
      for (const tag of ['*', etag, `W/${etag}`, `"x", ${etag}`, `${etag},"y"`])
        expect((await get({ 'if-none-match': tag })).status, tag).toBe(304);
      for (const tag of ['"x"', 'junk', '""', '*x', etag.slice(1, -1), `"${'x'.repeat(5_000)}"`])
        expect((await get({ 'if-none-match': tag })).status, tag).toBe(200);
      for (const since of ['junk', 'Thu, 01 Jan 1970 00:00:00 GMT', 'Fri, 31 Dec 9999 23:59:59 GMT', '0'])
        expect((await get({ 'if-modified-since': since })).status).toBe(200);
      for (const ifRange of ['"old"', `W/${etag}`, 'Fri, 31 Dec 2027 23:59:59 GMT', '*', ''])
        expect((await get({ range: 'bytes=1-3', 'if-range': ifRange })).status, ifRange).toBe(200);
      const part = await fetch(hub.url + address, { headers: { range: 'bytes=1-3', 'if-range': etag } });
      expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 1-3/${bytes.length}`]);
      expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(1, 4))).toBe(true);
      for (const range of [
        'bytes=0-0,2-2',
        'bytes=',
        'bytes=-',
        'bytes=3-1',
        'items=0-1',
        'bytes=a-b',
        'bytes 0-1',
        'bytes=0-1,',
      ])
        expect((await get({ range })).status, range).toBe(200);
      for (const range of [`bytes=${bytes.length}-`, 'bytes=-0', 'bytes=99999999999999999999-']) {
        const answer = await get({ range });
        expect([answer.status, answer.headers.get('content-range')], range).toEqual([
          416,
          `bytes */${bytes.length}`,
        ]);
      }
    },
  );
});

describe('links come from the configuration or from this machine, never from what a client claims', () => {
  const spellings: readonly Record<string, string>[] = [
    { Host: 'evil.example' },
    { Host: 'evil.example:80' },
    { Host: 'localhost.evil.example' },
    { Host: '127.0.0.1@evil.example' },
    { Host: 'localhost:99999' },
    { Host: 'localhost:1:2' },
    { Host: '' },
    { Host: 'localhost', 'X-Forwarded-Host': 'evil.example' },
    { Host: 'localhost', 'X-Forwarded-Server': 'evil.example', Forwarded: 'host=evil.example;proto=https' },
    { Host: 'localhost', 'X-Original-Host': 'evil.example', 'X-Rewrite-URL': '//evil.example/' },
    { Host: 'localhost', Origin: 'http://evil.example', Referer: 'http://evil.example/' },
  ];
  test.each(spellings)('%j', async (claims) => {
    const claimed = Object.entries(claims)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('');
    const send = (method: string, path: string, json?: unknown) => {
      const text = json === undefined ? '' : JSON.stringify(json);
      const type = `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n`;
      return sendRaw(
        hub.url,
        `${method} ${path} HTTP/1.1\r\n${claimed}Authorization: Bearer ${TOKENS.alice}\r\n${type}Connection: close\r\n\r\n${text}`,
      );
    };
    const answers = [
      await send('GET', '/api/models/alice/open/tree/main?limit=1'),
      await send('POST', '/api/repos/create', { name: 'open' }),
      await send('POST', '/alice/open.git/info/lfs/objects/batch', {
        operation: 'upload',
        transfers: ['multipart'],
        objects: [{ oid: 'a'.repeat(64), size: 1 }],
      }),
      await send('GET', '/api/models/alice/open/xet-write-token/main'),
    ];
    for (const { text, statuses } of answers) {
      expect(text).not.toMatch(/evil|99999/);
      expect(statuses[0], text).toBeLessThan(500);
    }
    if (claims.Host) expect(answers[1]?.text).toMatch(/"url":"http:\/\/(?:localhost|127)/);
  });

  test('the address in the audit trail is the socket’s, whatever X-Forwarded-For says', async () => {
    await hub.commit('alice/open', [header, file('audited.txt')], {
      headers: { 'x-forwarded-for': '203.0.113.7', 'x-real-ip': '203.0.113.7', forwarded: 'for=203.0.113.7' },
    });
    const { rows } = await hub.app.db.query<{ ip: string }>(
      'SELECT DISTINCT ip FROM audit_event WHERE ip IS NOT NULL',
    );
    expect(rows.map((row) => row.ip)).not.toContain('203.0.113.7');
  });
});

describe('a client that stops or crawls does not keep a connection', () => {
  /** A server of this hub's app whose patience is short enough for a test. */
  async function impatient(silenceMs: number) {
    const slow = route(
      'POST',
      '/api/slow',
      { operation: 'slow', access: 'public', timeoutMs: 500 },
      async (_ctx, req) => {
        await req.body(1_000);
      },
    );
    const dispatch = createDispatcher(hub.app, [slow, ...routes], { silenceMs });
    const server = createServer(
      { ServerResponse: BasedResponse, requestTimeout: 0 },
      (req, res) => void dispatch(req, res),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      close: () => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
      },
    };
  }

  test('a body of one byte now and then ends with its route’s deadline', async () => {
    const server = await impatient(60_000);
    try {
      const head = 'POST /api/slow HTTP/1.1\r\nHost: x\r\nContent-Length: 900\r\n\r\n';
      const { closed } = await sendRaw(server.url, [head, ...Array.from({ length: 40 }, () => 'x')], {
        pauseMs: 200,
        waitMs: 10_000,
      });
      expect(closed).toBe(true);
    } finally {
      await server.close();
    }
  });

  test('an upload without a deadline ends when nothing comes any more, and leaves nothing', async () => {
    const server = await impatient(300);
    try {
      const bytes = randomBytes(1_000_000);
      const path = await uploadPath(createHash('sha256').update(bytes).digest('hex'), bytes.length);
      const before = await everything(hub.app);
      const head = `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\n\r\n`;
      const { closed } = await sendRaw(server.url, [head, bytes.subarray(0, 1_000).toString('latin1')], {
        waitMs: 5_000,
      });
      expect(closed).toBe(true);
      expect(await everything(hub.app)).toEqual(before);
    } finally {
      await server.close();
    }
  });

  test('an upload that goes on slowly is let go on', async () => {
    const server = await impatient(300);
    try {
      const bytes = Buffer.from('a slow line, but an honest one');
      const path = await uploadPath(createHash('sha256').update(bytes).digest('hex'), bytes.length);
      const head = `PUT ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${bytes.length}\r\nConnection: close\r\n\r\n`;
      const { statuses } = await sendRaw(server.url, [head, ...bytes.toString('latin1')], {
        pauseMs: 60,
        waitMs: 15_000,
      });
      expect(statuses).toEqual([200]);
    } finally {
      await server.close();
    }
  }, 20_000);

  test('a reader that never reads holds little memory, and its stream ends with it', async () => {
    const sockets = Array.from({ length: 50 }, () => {
      const { hostname, port } = new URL(hub.url);
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {});
      socket.pause();
      socket.write('GET /alice/open/resolve/main/large.bin HTTP/1.1\r\nHost: x\r\n\r\n');
      return socket;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect((await hub.ask('/alice/open/resolve/main/small.txt')).status).toBe(200);
    for (const socket of sockets) socket.destroy();
  });
});

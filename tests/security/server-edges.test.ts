import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Hub, startHub } from '../support/hub.ts';
import { askAt, SEED, sendRaw, TOKENS } from './hostile-hub.ts';

/** The real server.ts: what Node's parser and the server's own limits decide before any route does. */
let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ seed: SEED });
}, 60_000);
afterAll(() => hub.stop());

const auth = `Authorization: Bearer ${TOKENS.alice}\r\n`;
const alive = async () => {
  expect((await askAt(hub.url, '/api/whoami-v2')).status).toBe(200);
};

describe('headers', () => {
  test('more than 32 KB of them are 431', async () => {
    const { statuses } = await sendRaw(
      hub.url,
      `GET /api/models HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(65_536)}\r\n\r\n`,
    );
    expect(statuses).toEqual([431]);
    await alive();
  });

  test('a thousand small ones are read or refused, and the credential among them is still judged', async () => {
    const many = Array.from({ length: 1_000 }, (_, i) => `X-${i}: ${i}\r\n`).join('');
    const { statuses } = await sendRaw(
      hub.url,
      `GET /api/whoami-v2 HTTP/1.1\r\nHost: x\r\n${many}Authorization: Bearer hf_${'w'.repeat(40)}\r\nConnection: close\r\n\r\n`,
    );
    expect([401, 431]).toContain(statuses[0]);
    await alive();
  });

  test('an Authorization that comes twice never opens more than its first', async () => {
    const { statuses } = await sendRaw(
      hub.url,
      `GET /api/whoami-v2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer hf_${'w'.repeat(40)}\r\n${auth}Connection: close\r\n\r\n`,
    );
    expect([400, 401]).toContain(statuses[0]);
  });
});

describe('two ways to read where a request ends', () => {
  const smuggled = `GET /api/whoami-v2 HTTP/1.1\r\nHost: x\r\n${auth}\r\n`;
  const post = (headers: string, body: string) =>
    `POST /api/validate-yaml HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n${body}`;
  const chunked = `0\r\n\r\n${smuggled}`;
  const ambiguous: readonly [string, string][] = [
    ['length and chunked', post(`Content-Length: 5\r\nTransfer-Encoding: chunked\r\n`, chunked)],
    ['chunked and length', post(`Transfer-Encoding: chunked\r\nContent-Length: 5\r\n`, chunked)],
    ['two lengths', post(`Content-Length: 2\r\nContent-Length: ${smuggled.length + 2}\r\n`, `{}${smuggled}`)],
    ['a list of lengths', post(`Content-Length: 2, ${smuggled.length + 2}\r\n`, `{}${smuggled}`)],
    ['chunked, identity', post(`Transfer-Encoding: chunked, identity\r\n`, chunked)],
    ['identity', post(`Transfer-Encoding: identity\r\n`, `{}${smuggled}`)],
    ['an unknown coding', post(`Transfer-Encoding: xchunked\r\n`, chunked)],
    ['a space before the colon', post(`Content-Length : ${smuggled.length}\r\n`, smuggled)],
    [
      'a folded header',
      post(`X-Folded: a\r\n Transfer-Encoding: chunked\r\nContent-Length : 5\r\n`, chunked),
    ],
    ['a vertical tab in the coding', post(`Transfer-Encoding:\x0bchunked\r\n`, chunked)],
    ['bare line feeds', post(`Content-Length: 2\r\n`, '{}').replaceAll('\r\n', '\n')],
    ['a bare carriage return', post(`X: a\rTransfer-Encoding: chunked\r\nContent-Length : 5\r\n`, chunked)],
    ['a NUL in a header', post(`X: a\0b\r\nContent-Length: 2\r\n`, '{}')],
    ['a chunk size with a sign', post(`Transfer-Encoding: chunked\r\n`, `+0\r\n\r\n${smuggled}`)],
    ['a chunk size in another base', post(`Transfer-Encoding: chunked\r\n`, `0x0\r\n\r\n${smuggled}`)],
    [
      'a chunk longer than it says',
      post(`Transfer-Encoding: chunked\r\n`, `1\r\n{}\r\n0\r\n\r\n${smuggled}`),
    ],
  ];
  test.each(ambiguous)('%s: refused, and what is hidden behind is not answered', async (_what, bytes) => {
    const { statuses, text } = await sendRaw(hub.url, bytes, { waitMs: 2_000 });
    expect(text).not.toMatch(/"name":"alice"/);
    expect(statuses.filter((status) => status < 400)).toEqual([]);
    expect(statuses[0]).toBe(400);
    await alive();
  });
});

describe('what is no ordinary request', () => {
  test.each([
    [
      'an upgrade',
      `GET /api/models HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      [426],
    ],
    [
      'an upgrade below _next',
      `GET /_next/hmr HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      [426],
    ],
    [
      'an upgrade to another host',
      `GET http://127.0.0.1:1/x HTTP/1.1\r\nHost: 127.0.0.1:1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`,
      [426],
    ],
    [
      'an absolute address',
      `GET http://127.0.0.1:1/api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      [400, 404],
    ],
    ['CONNECT', `CONNECT 127.0.0.1:1 HTTP/1.1\r\nHost: x\r\n\r\n`, [400, 404, 405]],
    ['TRACE', `TRACE /api/models HTTP/1.1\r\nHost: x\r\n${auth}Connection: close\r\n\r\n`, [400, 404, 405]],
    [
      'an address without a slash',
      `GET api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
      [400, 404],
    ],
    ['an asterisk', `OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, [204, 400, 404, 405]],
    ['two slashes', `GET //api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, [400, 404]],
    ['no host', `GET /api/models HTTP/1.1\r\nConnection: close\r\n\r\n`, [400]],
    ['an unknown method', `HACK /api/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`, [400]],
    ['junk', `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03`, [400]],
  ] as const)('%s is answered by itself, and the server goes on', async (_what, bytes, expected) => {
    const { statuses, text, closed } = await sendRaw(hub.url, bytes, { waitMs: 3_000 });
    expect(text).not.toMatch(new RegExp(TOKENS.alice));
    if (statuses.length === 0) expect(closed).toBe(true);
    else expect(expected).toContain(statuses[0]);
    await alive();
  });

  test('a method override in a header or a query changes nothing', async () => {
    await askAt(hub.url, '/api/repos/create', { body: { name: 'kept' } });
    for (const headers of [{ 'x-http-method-override': 'DELETE' }, { 'x-method-override': 'DELETE' }])
      await askAt(hub.url, '/api/repos/delete?_method=DELETE', { body: { name: 'kept' }, headers });
    expect((await askAt(hub.url, '/api/models/alice/kept')).status).toBe(200);
  });

  test('five hundred idle connections do not keep others out', async () => {
    const idle = Array.from({ length: 500 }, () => sendRaw(hub.url, 'GET /api', { waitMs: 1_500 }));
    await alive();
    await Promise.all(idle);
    await alive();
  });
});

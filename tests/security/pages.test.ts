import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startHubWithPages } from '../e2e/browser.ts';
import type { Hub } from '../support/hub.ts';
import { askAt, file, header, SEED, sendRaw, TOKENS } from './hostile-hub.ts';

/** What nobody but alice may see: it stands in the card, in a file and in a path of her private repo. */
const CANARY = 'canary-7c1f0e';

let hub: Hub;
beforeAll(async () => {
  hub = await startHubWithPages({ seed: SEED });
  const create = await askAt(hub.url, '/api/repos/create', { body: { name: 'secret', private: true } });
  if (create.status !== 200) throw new Error(create.text);
  const lines = [header, file('README.md', `# ${CANARY}\n`), file(`${CANARY}.txt`, CANARY)];
  const committed = await askAt(hub.url, '/api/models/alice/secret/commit/main', {
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  });
  if (committed.status !== 200) throw new Error(committed.text);
}, 240_000);
afterAll(() => hub.stop());

const PAGES = [
  '/alice/secret',
  '/alice/secret/tree/main',
  `/alice/secret/blob/main/${CANARY}.txt`,
  '/alice/secret/commits/main',
  '/alice/secret/discussions',
  '/alice/secret/discussions/1/files',
  '/alice/secret/commit/main',
  '/alice/secret/compare/main...main',
  '/alice/secret/branches/main',
  '/alice/secret/discussions/new',
  '/alice/secret/settings',
  `/alice/secret/edit/main/${CANARY}.txt`,
  '/alice/secret/new/main',
];

const get = (path: string, headers: Record<string, string> = {}) =>
  sendRaw(
    hub.url,
    `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`,
    { waitMs: 20_000 },
  );

/** No byte of the private repo, by any way of asking. The path itself may be echoed; the card's words may not. */
function expectNothing(text: string, asked: string): void {
  expect(text.replaceAll(`${CANARY}.txt`, ''), asked).not.toContain(CANARY);
  expect(text, asked).not.toMatch(/HTTP\/1\.1 5\d\d/);
}

const byToken = { authorization: `Bearer ${TOKENS.alice}` };

test('the canary is there for its owner, so that its absence elsewhere means something', async () => {
  const { text } = await askAt(hub.url, `/alice/secret/resolve/main/README.md`);
  expect(text).toContain(CANARY);
});

describe('private pages, asked for by nobody', () => {
  const subrequest = ['middleware', 'src/middleware', 'pages/_middleware', 'proxy', 'src/proxy'].flatMap(
    (name) => [name, Array(5).fill(name).join(':')],
  );
  const steering: Record<string, string>[] = [
    ...subrequest.map((value) => ({ 'x-middleware-subrequest': value })),
    { 'x-middleware-rewrite': '/alice/secret' },
    { 'x-middleware-next': '1' },
    { 'x-middleware-set-cookie': 'a=b' },
    { 'x-middleware-override-headers': 'cookie', 'x-middleware-request-cookie': 'x=y' },
    { 'x-matched-path': '/alice/secret' },
    { 'x-invoke-path': '/alice/secret', 'x-invoke-status': '200', 'x-invoke-query': '%7B%7D' },
    { 'x-invoke-output': '/alice/secret' },
    { 'x-nextjs-data': '1' },
    { 'x-nextjs-rewrite': '/alice/secret' },
    { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' },
    { 'x-nonce': 'attacker' },
    { 'x-prerender-revalidate': 'x' },
    { 'x-real-ip': '127.0.0.1', 'x-user': 'alice', 'x-forwarded-user': 'alice' },
    { rsc: '1' },
    { rsc: '1', 'next-router-prefetch': '1' },
    { rsc: '1', 'next-router-prefetch': '1', 'next-router-segment-prefetch': '/_tree' },
    { purpose: 'prefetch' },
  ];
  test.each(steering)('headers %j change no decision', async (headers) => {
    let answer = await get('/alice/secret', headers);
    // Next sends a payload's reader to the address that names its headers; that is as far as it may go.
    const there = /^location: (\/\S+)/im.exec(answer.text)?.[1];
    if (answer.statuses[0] === 307 && there?.startsWith('/alice/secret?_rsc'))
      answer = await get(there, headers);
    expectNothing(answer.text, JSON.stringify(headers));
    expect(headers.rsc ? [200, 404] : [404]).toContain(answer.statuses[0]); // a payload tells "not found" inside
    expect(answer.text).not.toMatch(/evil\.example|nonce-attacker/);
  });

  const ways = [
    (p: string) => `${p}?_rsc=abc12`,
    (p: string) => `${p}.rsc`,
    (p: string) => `${p}.txt`,
    (p: string) => `${p}.segments/_tree.segment.rsc`,
    (p: string) => `${p}.segments/_full.segment.rsc`,
    (p: string) => `/_next/data/development${p}.json`,
    (p: string) => `/en${p}`,
    (p: string) => `/${p}`,
    (p: string) => `${p}/`,
    (p: string) => `/.${p}`,
    (p: string) => `/x/..${p}`,
    (p: string) => p.replace('/alice', '/%61lice'),
    (p: string) => p.replace('/alice/', '/alice%2f'),
    (p: string) => p.replaceAll('/', '\\').replace('\\', '/'),
    (p: string) => p.toUpperCase(),
    (p: string) => `${p};x=y`,
    (p: string) => `/_next/image?url=${encodeURIComponent(p)}&w=64&q=75`,
    (p: string) => `/_next/image?url=${encodeURIComponent(`${hub.url}${p}`)}&w=64&q=75`,
    (p: string) => `/api/auth/../..${p}`,
  ];
  test.each(PAGES)('%s: no spelling of the address shows a byte', async (page) => {
    for (const way of ways) {
      for (const headers of [{}, { rsc: '1' }]) {
        const { text } = await get(way(page), headers as Record<string, string>);
        expectNothing(text, way(page));
      }
    }
  });

  test('the page of a private repo is the page of a missing one, to the byte', async () => {
    const plain = async (name: string, headers: Record<string, string>) => {
      const { text } = await get(`/alice/${name}`, headers);
      const nonce = /'nonce-([^']+)'/.exec(text)?.[1] ?? 'none';
      return text
        .replaceAll(nonce, 'NONCE')
        .replaceAll(name, 'NAME')
        .replace(/^(?:date|etag): .*$/gim, '');
    };
    expect(await plain('secret', {})).toBe(await plain('secreu', {}));
  });

  test('a stranger’s token and a forged session are nobody’s too', async () => {
    const cookies = [
      'next-auth.session-token=x',
      '__Secure-next-auth.session-token=x',
      `session=${TOKENS.alice}`,
    ];
    for (const page of PAGES) {
      for (const cookie of cookies) expectNothing((await get(page, { cookie })).text, cookie);
      expectNothing((await get(page, { authorization: `Bearer ${TOKENS.bob}` })).text, 'bob');
    }
  });

  test('no list shows that it exists', async () => {
    for (const page of [
      '/',
      '/models',
      '/models?search=secret',
      '/models?search=canary',
      '/datasets',
      '/alice',
      '/sitemap.xml',
      '/robots.txt',
    ]) {
      const { text } = await get(page);
      expectNothing(text, page);
      expect(text, page).not.toMatch(/alice\/secret/);
    }
  });
});

describe('server actions and forged payloads of React', () => {
  const flight = [
    '1:"$Sreact.fragment"\n0:{"a":"$@1"}',
    '{"__proto__":{"then":"$1:__proto__:then"}}',
    '["$1:constructor:constructor"]',
    '0'.repeat(100_000),
  ];
  const form = (value: string) =>
    `--x\r\nContent-Disposition: form-data; name="0"\r\n\r\n${value}\r\n--x\r\nContent-Disposition: form-data; name="1"\r\n\r\n"$@0"\r\n--x--\r\n`;
  test('no action exists: every POST to a page is refused at once', async () => {
    for (const page of ['/', '/login', '/models', '/alice/secret', '/new']) {
      for (const value of flight)
        for (const type of [
          'text/plain;charset=UTF-8',
          'multipart/form-data; boundary=x',
          'application/x-www-form-urlencoded',
        ]) {
          const body = type.startsWith('multipart') ? form(value) : value;
          const { statuses } = await sendRaw(
            hub.url,
            `POST ${page} HTTP/1.1\r\nHost: localhost\r\nNext-Action: ${'a'.repeat(42)}\r\nContent-Type: ${type}\r\n` +
              `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
          );
          expect(statuses[0], page).toBe(405);
        }
    }
  });
});

test('pages say nothing to caches, frames or sniffers, and their scripts need this answer’s nonce', async () => {
  for (const page of ['/', '/models', '/login', '/alice/secret']) {
    const [one, two] = [(await get(page)).text, (await get(page)).text];
    expect(one, page).toMatch(/x-content-type-options: nosniff/i);
    expect(one, page).toMatch(/frame-ancestors 'none'/);
    expect(one, page).toMatch(/cache-control: (?:private|no-store)/i);
    const nonce = (text: string) => /'nonce-([^']+)'/.exec(text)?.[1];
    expect(nonce(one)).toBeTruthy();
    expect(nonce(one)).not.toBe(nonce(two));
  }
});

test('a Host that is no address of ours does not break or steer a page', async () => {
  for (const host of ['localhost:99999', 'evil.example', 'localhost:1:2', '[::1', 'a b', '']) {
    const { text, statuses } = await sendRaw(
      hub.url,
      `GET /login HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
      {
        waitMs: 20_000,
      },
    );
    expect([200, 400], host).toContain(statuses[0]);
    expect(text).not.toMatch(/evil\.example/);
  }
});

test('a token in Authorization is no session: pages do not show with it what only a signed-in browser sees', async () => {
  for (const page of PAGES) {
    const { statuses, text } = await get(page, byToken);
    expect([200, 307, 404], page).toContain(statuses[0]); // 307: to the sign-in page, of repos that are not there too
    if (statuses[0] !== 200) expectNothing(text, page);
  }
});

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { openBrowser, startHubWithPages, visit } from './browser.ts';
import { makeRepo } from './model-repo.ts';

const CARD = `---
license: "<script>window.hacked='licence'</script>"
tags: ["<img src=x onerror=window.hacked='tag'>"]
---
# Card <script>window.hacked = 'script'</script>

<img src="/admin/none/resolve/main/x.png" onerror="window.hacked = 'onerror'">
<svg onload="window.hacked = 'svg'"><animate onbegin="window.hacked='svg'" attributeName=x dur=1s></svg>
<iframe srcdoc="<script>parent.hacked = 'iframe'</script>"></iframe>
<style>body { display: none !important }</style>
<link rel="stylesheet" href="/evil.css"><base href="https://evil.invalid/">
<form action="https://evil.invalid"><button id="go">Sign in again</button></form>
<details open ontoggle="window.hacked = 'toggle'"><summary>s</summary></details>
<p style="position:fixed;inset:0;z-index:99999;background:red" class="fixed inset-0 bg-bad">cover</p>
<a id="cookie" name="querySelector"></a>

[one](javascript:window.hacked='link') [two](data:text/html,<script>alert(1)</script>) <a href="jAvAsCrIpT:window.hacked='a'">three</a>

$\\href{javascript:window.hacked='math'}{x}$

\`\`\`html
<script>window.hacked = 'code'</script>
\`\`\`
`;
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>parent.hacked="svg file"</script></svg>';
const HTML = '<!doctype html><script>window.hacked = "html file"</script><h1>hello</h1>';
const NAME = `<img src=x onerror=window.hacked=1>'".txt`;

let hub: Hub;
let browser: Browser;

beforeAll(async () => {
  hub = await startHubWithPages();
  await makeRepo(hub, 'admin/hostile', {
    'README.md': CARD,
    'evil.svg': SVG,
    'evil.html': HTML,
    'notes.md': CARD,
    [NAME]: 'text',
    'fake.gguf': 'GGUF<script>window.hacked=1</script>',
    'fake.safetensors': '\u0009\0\0\0\0\0\0\0{"a":1}',
    'long.txt': 'x'.repeat(900_000),
  });
  browser = await openBrowser();
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await hub?.stop();
}, 60_000);

const PAGES = [
  '',
  '/tree/main',
  '/blob/main/README.md',
  '/blob/main/notes.md',
  '/blob/main/evil.svg',
  '/blob/main/evil.html',
  `/blob/main/${encodeURIComponent(NAME)}`,
  '/blob/main/fake.gguf',
  '/blob/main/fake.safetensors',
  '/blob/main/long.txt',
  '/commits/main',
];

test.each(PAGES)('nothing of a stranger’s runs on /admin/hostile%s', async (path) => {
  // A picture that is not there is the card's own fault; the browser says so.
  const { page, troubles, close } = await visit(browser, hub, { expected: /status of 404/ });
  const response = await page.goto(`/admin/hostile${path}`);
  expect(response?.status()).toBe(200);
  await page.waitForTimeout(300);
  for (const link of await page
    .locator('main a[href]')
    .evaluateAll((all) => all.map((a) => a.getAttribute('href') ?? '')))
    expect(link).not.toMatch(/^\s*(?:javascript|data|vbscript):/i);
  expect(await page.evaluate(() => (window as unknown as { hacked?: string }).hacked)).toBeUndefined();
  expect(await page.locator('main iframe, main form[action*="evil"], main [style*="fixed"]').count()).toBe(0);
  expect(await page.getByRole('banner').isVisible()).toBe(true);
  expect(await page.evaluate(() => document.baseURI)).toContain('/admin/hostile');
  expect(troubles).toEqual([]);
  await close();
});

test.each(['evil.svg', 'evil.html'])(
  'opened by itself, %s runs no script on the hub’s origin',
  async (file) => {
    const { page, close } = await visit(browser, hub);
    for (const view of ['raw', 'resolve']) {
      await page.goto(`/admin/hostile/${view}/main/${file}`).catch(() => {}); // a download ends the navigation
      expect(await page.evaluate(() => (window as unknown as { hacked?: string }).hacked)).toBeUndefined();
    }
    await close();
  },
);

test('a weights file that is none says so, with the reason', async () => {
  const { page, close } = await visit(browser, hub);
  await page.goto('/admin/hostile/blob/main/fake.gguf');
  await page.getByText(/The header of this file could not be read: not a valid GGUF file/).waitFor();
  await page.goto('/admin/hostile/blob/main/fake.safetensors');
  await page.getByText(/could not be read: not a valid safetensors file/).waitFor();
  await close();
});

test('a card that would take minutes to render is shown as written, and the hub answers meanwhile', async () => {
  await makeRepo(hub, 'admin/bomb', { 'README.md': `# Bomb\n\n${'>'.repeat(100_000)}` });
  const { page, troubles, close } = await visit(browser, hub);
  const opened = page.goto('/admin/bomb', { timeout: 60_000 });
  const waits: number[] = [];
  for (let i = 0; i < 10; i++) {
    const started = performance.now();
    expect((await fetch(`${hub.url}/api/models/admin/hostile`)).status).toBe(200);
    waits.push(performance.now() - started);
    await page.waitForTimeout(200);
  }
  expect((await opened)?.status()).toBe(200);
  await page.getByText('This text is too intricate to be rendered').waitFor();
  expect(Math.max(...waits)).toBeLessThan(5_000);
  expect(troubles).toEqual([]);
  await close();
}, 90_000);

test('pages cannot be framed, sniffed or given a script from outside', async () => {
  const { headers } = await fetch(`${hub.url}/admin/hostile`);
  const csp = headers.get('content-security-policy') ?? '';
  expect(csp).toContain("frame-ancestors 'none'");
  expect(csp).toMatch(/script-src [^;]*'nonce-/);
  expect(csp).not.toMatch(/script-src [^;]*'unsafe-/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
});

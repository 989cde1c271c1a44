import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { scriptedModel } from '#tests/support/scripted-model.ts';
import { openBrowser, signIn, startHubWithPages, visit } from './browser.ts';
import { makeRepo } from './model-repo.ts';

const LONG_NAME = `n${'0123456789'.repeat(9)}abcde`;
const LONG_CARD = `# Long\n\n${'A paragraph of a long card with `code` and **weight**.\n\n'.repeat(700)}`;

let hub: Hub;
let browser: Browser;

beforeAll(async () => {
  hub = await startHubWithPages();
  await makeRepo(hub, 'admin/full', {
    'README.md': '# Full\n\ntext',
    'a/b.py': 'import os\n',
    'm.gguf': scriptedModel(),
  });
  await makeRepo(hub, `admin/${LONG_NAME}`, { 'README.md': LONG_CARD });
  await makeRepo(hub, 'admin/empty', {});
  await makeRepo(hub, 'admin/rows', { 'README.md': '# Rows', 'data.csv': 'a,b\n1,2\n' }, { type: 'dataset' });
  await talk('models/admin/full');
  await talk('datasets/admin/rows');
  browser = await openBrowser();
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await hub?.stop();
}, 60_000);

/** A branch with a commit, a discussion (1) and a pull request of the branch (2), all with words that do not break. */
async function talk(repo: string): Promise<void> {
  const call = async (path: string, body: string | object) => {
    const type = typeof body === 'string' ? 'application/x-ndjson' : 'application/json';
    const response = await fetch(`${hub.url}/api/${repo}/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  };
  const unbroken = 'deep_'.repeat(20);
  await call('branch/side', {});
  const lines = [
    { key: 'header', value: { summary: `更新说明 ${unbroken}` } },
    { key: 'file', value: { path: `docs/${unbroken}/file.md`, content: `${unbroken}\n` } },
  ];
  await call('commit/side', lines.map((line) => JSON.stringify(line)).join('\n'));
  const description = `${unbroken}\n\n| a | ${unbroken} |\n|---|---|\n| 1 | ${unbroken} |\n\n\`\`\`\n${unbroken}${unbroken}\n\`\`\``;
  await call('discussions', { title: `怎么用 ${unbroken}`, description });
  const pull = { pullRequest: true, base: 'main', head: 'side' };
  await call('discussions', { title: `Say more ${unbroken}`, description, ...pull });
}

const OPEN_PAGES = [
  '/',
  '/models',
  '/models?search=nothing-like-this',
  '/datasets',
  '/login',
  '/signup',
  '/admin',
  '/admin/full',
  '/admin/full/tree/main',
  '/admin/full/tree/main/a',
  '/admin/full/blob/main/a/b.py',
  '/admin/full/blob/main/m.gguf',
  '/admin/full/commits/main',
  `/admin/${LONG_NAME}`,
  '/admin/empty',
  '/datasets/admin/rows',
  '/datasets/admin/rows/tree/main',
];
/** Those with long words of people in them: looked at where there is least room. */
const TALK_PAGES = [
  '/admin/full/commits/main/a/b.py',
  '/admin/full/commit/side',
  '/admin/full/compare',
  '/admin/full/compare/main...side',
  '/admin/full/branches',
  '/admin/full/discussions',
  '/admin/empty/discussions?status=closed',
  '/admin/full/discussions/1',
  '/admin/full/discussions/2',
  '/admin/full/discussions/2/commits',
  '/datasets/admin/rows/commit/main',
  '/datasets/admin/rows/discussions/2/files',
];
const OWN_PAGES = [
  '/',
  '/new',
  '/new?type=dataset',
  '/settings',
  '/settings/tokens',
  '/settings/storage',
  '/settings/usage',
  '/endpoints',
  '/admin/full',
  '/admin/full/tree/main/a',
  '/admin/full/blob/main/a/b.py',
  '/admin/full/commit/main',
  '/admin/full/compare/main...side',
  '/admin/full/branches',
  '/admin/full/branches/main',
  '/admin/full/settings',
  '/admin/full/storage',
  '/admin/empty/storage',
  `/admin/${LONG_NAME}/settings`,
  '/admin/full/new/main',
  '/admin/full/upload/main',
  '/admin/full/edit/main/README.md',
  '/admin/full/discussions/new',
  '/admin/full/discussions/new?pull=1&base=main&head=side',
  '/admin/full/discussions/2',
  '/datasets/admin/rows/settings',
  '/datasets/admin/rows/storage',
  '/datasets/admin/rows/discussions/2/files',
];

/** What an eye would see at once: one heading, landmarks, a language, nothing wider than the window, no section out of sight. */
async function expectSound(page: Page, path: string, language: string): Promise<void> {
  const response = await page.goto(path);
  expect(response?.status(), path).toBe(200);
  expect(await page.locator('html').getAttribute('lang'), path).toBe(language);
  // a card's own headings are its author's
  expect(await page.locator('h1:not(.prose h1)').count(), `${path}: one h1`).toBe(1);
  expect(await page.getByRole('main').count(), path).toBe(1);
  expect(await page.title(), path).toContain('Larder');
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  expect(overflow, `${path} is wider than the window`).toBeLessThanOrEqual(0);
  const outOfSight = await page.evaluate(() =>
    [...document.querySelectorAll('main nav a')]
      .filter((link) => link.getBoundingClientRect().right > window.innerWidth)
      .map((link) => link.textContent),
  );
  expect(outOfSight, `${path}: sections out of sight`).toEqual([]);
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll('button, a[href], input:not([type=hidden]), select, textarea')]
      .filter((element) => {
        const labelled = element as HTMLInputElement;
        return !(
          element.getAttribute('aria-label') ??
          element.getAttribute('title') ??
          (element.textContent?.trim() ||
            labelled.labels?.[0]?.textContent ||
            element.querySelector('img[alt]'))
        );
      })
      .map((element) => element.outerHTML.slice(0, 160)),
  );
  expect(unnamed, `${path}: controls without a name`).toEqual([]);
}

test.each([
  { language: 'en', locale: 'en-US', colorScheme: 'light', width: 1440 },
  { language: 'zh-CN', locale: 'zh-CN', colorScheme: 'dark', width: 768 },
  { language: 'zh-CN', locale: 'zh-TW', colorScheme: 'light', width: 360 },
  { language: 'en', locale: 'fr-FR', colorScheme: 'dark', width: 360 },
] as const)(
  'every page is sound in $locale, $colorScheme, $width px',
  async ({ language, locale, colorScheme, width }) => {
    const viewport = { width, height: 800 };
    const { page, troubles, close } = await visit(browser, hub, { locale, colorScheme, viewport });
    const paths = width === 360 ? [...OPEN_PAGES, ...TALK_PAGES] : OPEN_PAGES;
    for (const path of paths) await expectSound(page, path, language);
    const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    expect(background).toBe(colorScheme === 'dark' ? 'rgb(21, 20, 17)' : 'rgb(248, 247, 244)');
    expect(troubles).toEqual([]);
    await close();
  },
  120_000,
);

test('the pages of who is signed in are sound on a phone too', async () => {
  const { page, troubles, close } = await visit(browser, hub, { viewport: { width: 360, height: 760 } });
  await signIn(page, 'admin', hub.adminPassword);
  for (const path of OWN_PAGES) await expectSound(page, path, 'en');
  expect(troubles).toEqual([]);
  await close();
}, 90_000);

test('a chosen theme and language hold from the first byte of the next page', async () => {
  const { page, troubles, close } = await visit(browser, hub, { colorScheme: 'light' });
  await page.goto('/models');
  await page.getByRole('button', { name: 'Theme' }).click();
  await page.getByRole('menuitemradio', { name: 'Dark' }).click();
  await page.waitForFunction(() => getComputedStyle(document.body).backgroundColor === 'rgb(21, 20, 17)');
  await page.getByRole('button', { name: 'Language' }).click();
  await page.getByRole('menuitemradio', { name: '简体中文' }).click();
  await page.getByRole('heading', { name: '模型' }).waitFor();
  const html = await (await page.request.get('/datasets')).text();
  expect(/<html[^>]*>/.exec(html)?.[0]).toMatch(/(?=.*lang="zh-CN")(?=.*data-theme="dark")/);
  expect(troubles).toEqual([]);
  await close();
});

test('a page that is not there and one that is hidden look the same, in both languages', async () => {
  await makeRepo(hub, 'admin/hidden', { 'README.md': '# Secret' }, { isPrivate: true });
  for (const [locale, title] of [
    ['en-US', 'There is nothing here'],
    ['zh-CN', '这里什么也没有'],
  ] as const) {
    const { page, close } = await visit(browser, hub, { locale });
    const seen: string[] = [];
    for (const path of [
      '/admin/hidden',
      '/admin/never-was',
      '/admin/hidden/tree/main',
      '/admin/full/tree/no-such-branch',
      '/no-one',
    ]) {
      const response = await page.goto(path);
      expect(response?.status(), path).toBe(404);
      await page.getByText(title).waitFor();
      seen.push(await page.getByRole('main').innerText());
    }
    expect(new Set(seen).size).toBe(1);
    await close();
  }
});

test('the palette opens by keyboard, finds a model and goes there', async () => {
  const { page, troubles, close } = await visit(browser, hub);
  await page.goto('/datasets');
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').fill('full');
  await page.getByRole('option', { name: 'admin/full' }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL('**/admin/full');
  expect(troubles).toEqual([]);
  await close();
});

test('the keyboard reaches the content first, then everything in order, and shows where it is', async () => {
  const { page, close } = await visit(browser, hub);
  await page.goto('/admin/full');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Skip to content');
  await page.keyboard.press('Tab');
  const outline = await page.evaluate(() => {
    const style = document.activeElement && getComputedStyle(document.activeElement);
    return style ? `${style.outlineStyle} ${style.outlineWidth}` : '';
  });
  expect(outline).toBe('solid 2px');
  await close();
});

test('a source is coloured, and a line has an address of its own', async () => {
  const { page, close } = await visit(browser, hub);
  await page.goto('/admin/full/blob/main/a/b.py#L1');
  expect(await page.locator('#L1 span[style*="color"]').count()).toBeGreaterThan(0);
  await page.locator('#L1 > a').click();
  expect(new URL(page.url()).hash).toBe('#L1');
  await close();
});

test('the tensors of a GGUF are listed and filtered as one types', async () => {
  const { page, close } = await visit(browser, hub);
  await page.goto('/admin/full/blob/main/m.gguf');
  await page.getByRole('searchbox', { name: 'Filter tensors' }).fill('token_embd');
  await page.getByText(/^1 of \d+$/).waitFor();
  await page.getByRole('cell', { name: 'token_embd.weight' }).waitFor();
  await page.getByRole('tab', { name: /^Metadata/ }).click();
  await page.getByText('general.architecture').waitFor();
  await close();
});

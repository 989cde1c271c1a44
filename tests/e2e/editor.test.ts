import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { openBrowser, signIn, startHubWithPages, type Visitor, visit } from './browser.ts';
import { makeRepo } from './model-repo.ts';

let hub: Hub;
let browser: Browser;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  hub = await startHubWithPages();
  await makeRepo(hub, 'admin/edited', {
    'README.md': '---\nlicense: mit\n---\n# Edited\n',
    'notes/dos.txt': 'one\r\ntwo\r\n',
  });
  browser = await openBrowser();
  visitor = await visit(browser, hub, { expected: /412|status of 4/ });
  ({ page } = visitor);
  await signIn(page, 'admin', hub.adminPassword);
}, 240_000);

// a page with unsaved text is not left without a question: each test has a tab of its own
beforeEach(async () => {
  page = await page.context().newPage();
});

afterAll(async () => {
  await visitor?.close();
  await browser?.close();
  await hub?.stop();
}, 60_000);

async function raw(path: string): Promise<string> {
  const res = await fetch(`${hub.url}/admin/edited/raw/main/${path}`);
  return res.ok ? res.text() : `HTTP ${res.status}`;
}

/** A commit by somebody else while a page is open. */
async function commitElsewhere(path: string, content: string): Promise<void> {
  const lines = [
    { key: 'header', value: { summary: `Write ${path}` } },
    { key: 'file', value: { path, content, encoding: 'utf-8' } },
  ];
  const res = await fetch(`${hub.url}/api/models/admin/edited/commit/main`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  });
  expect(res.status).toBe(200);
}

/** Appends at the end of the open editor. */
async function type(text: string): Promise<void> {
  const editor = page.locator('.cm-content');
  await editor.click();
  await page.keyboard.press('Control+End');
  await page.keyboard.type(text);
}

test('a file is written, changed, moved and deleted on pages, each with one commit', async () => {
  await page.goto('/admin/edited/tree/main/notes');
  await page.getByRole('button', { name: 'Add file' }).click();
  await page.getByRole('menuitem', { name: 'New file' }).click();
  await page.getByLabel('Path from the root').fill('notes/plan.md');
  await type('# Plan');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/blob/main/notes/plan.md');
  expect(await raw('notes/plan.md')).toBe('# Plan');

  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await type('\nmore');
  await page.getByLabel('What changes').fill('Say more');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/blob/main/notes/plan.md');
  await page.getByText('Say more').first().waitFor();
  expect(await raw('notes/plan.md')).toBe('# Plan\nmore');

  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await page.getByLabel('Path from the root').fill('docs/plan.md');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/blob/main/docs/plan.md');
  expect([await raw('docs/plan.md'), await raw('notes/plan.md')]).toEqual(['# Plan\nmore', 'HTTP 404']);

  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('button', { name: 'Delete plan.md' }).click();
  await page.waitForURL((url) => url.pathname.includes('/tree/main'));
  expect(await raw('docs/plan.md')).toBe('HTTP 404');
});

test('line ends stay what they are', async () => {
  await page.goto('/admin/edited/edit/main/notes/dos.txt');
  await type('three');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/blob/main/notes/dos.txt');
  expect(await raw('notes/dos.txt')).toBe('one\r\ntwo\r\nthree');
});

test('what others committed meanwhile stays: other files are kept, the same file is a conflict and the text is not lost', async () => {
  await page.goto('/admin/edited/edit/main/notes/dos.txt');
  await type('\nmine');
  await commitElsewhere('other.txt', 'theirs');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/blob/main/notes/dos.txt');
  expect([await raw('notes/dos.txt'), await raw('other.txt')]).toEqual([
    'one\r\ntwo\r\nthree\r\nmine',
    'theirs',
  ]);

  await page.getByRole('link', { name: 'Edit', exact: true }).click();
  await type('\nlast');
  await commitElsewhere('notes/dos.txt', 'theirs');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.getByText('was changed by somebody else').waitFor();
  expect(await page.locator('.cm-content').innerText()).toContain('last');
  expect(await raw('notes/dos.txt')).toBe('theirs');
});

test('broken metadata of a card is refused with its reason and can be mended in place', async () => {
  await page.goto('/admin/edited/edit/main/README.md');
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.insertText('tags: [a\n');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.getByText('README.md').filter({ hasText: 'metadata' }).waitFor();
  expect(await raw('README.md')).toContain('license: mit\n---\n# Edited');
  await page.keyboard.press('Escape');
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('End');
  await page.keyboard.type(']');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/blob/main/README.md');
  expect(await raw('README.md')).toContain('tags: [a]');
});

test('a card is previewed in its place with what the hub says of its metadata, and nothing that was typed is lost', async () => {
  await page.goto('/admin/edited/edit/main/README.md');
  await type('\n**bold** <script>alert(1)</script> [notes](notes/dos.txt)');
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.locator('.prose strong').getByText('bold').waitFor();
  expect(await page.locator('.prose').innerText()).not.toMatch(/license|alert/);
  expect(await page.locator('.prose a').last().getAttribute('href')).toBe(
    '/admin/edited/blob/main/notes/dos.txt',
  );
  await page.getByRole('button', { name: 'Write' }).click();
  await page.locator('.cm-content').click();
  await page.keyboard.press('Control+Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.insertText('language: [[\n');
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.getByText('This cannot be committed').waitFor();
  await page
    .getByText(/^YAML metadata: line/)
    .first()
    .waitFor();
  await page.getByLabel('Path from the root').fill('README.txt');
  await page.locator('.cm-content').waitFor();
  expect(await page.locator('.cm-content').innerText()).toContain('**bold**');
  expect(await page.getByRole('button', { name: 'Preview' }).count()).toBe(0);
});

test('a change is proposed as a pull request, by a writer who chooses so and by a reader who has no choice', async () => {
  await page.goto('/admin/edited/edit/main/README.md');
  await type('\nBy the owner');
  await page.getByLabel('Into a new pull request').check();
  const opened = page.waitForRequest((request) => request.url().includes('create_pr=1'));
  await page.getByRole('button', { name: 'Propose changes' }).click();
  expect((await (await opened).response())?.status()).toBe(200);
  await page.waitForURL('**/discussions/1');
  expect(await raw('README.md')).not.toContain('By the owner');

  const reader = await visit(browser, hub);
  await reader.page.goto('/signup');
  await reader.page.getByLabel('User name').fill('reader');
  await reader.page.getByLabel('Password').fill('a long enough secret');
  await reader.page.getByRole('button', { name: 'Create account' }).click();
  await reader.page.waitForURL((url) => url.pathname === '/');
  page = reader.page;
  await page.goto('/admin/edited/edit/main/README.md');
  await type('\nBy a reader');
  await page.getByRole('button', { name: 'Propose changes' }).click();
  await page.waitForURL('**/discussions/2');
  const proposed = await fetch(`${hub.url}/admin/edited/raw/refs%2Fpr%2F2/README.md`);
  expect(await proposed.text()).toContain('By a reader');
  expect(await raw('README.md')).not.toContain('By a reader');
  await reader.close();
  ({ page } = visitor);
});

test('nothing can be edited but the newest version of a branch', async () => {
  const { sha } = (await (await fetch(`${hub.url}/api/models/admin/edited`)).json()) as { sha: string };
  await page.goto(`/admin/edited/edit/${sha}/README.md`);
  await page.getByText('Only the newest version of a branch can be edited').waitFor();
});

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { openBrowser, signIn, startHubWithPages, visit } from './browser.ts';

let hub: Hub;
let browser: Browser;

const call = (path: string, body: unknown, type = 'application/json') =>
  fetch(`${hub.url}/api/${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': type },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  }).then(async (res) => {
    if (!res.ok) throw new Error(`${path}: ${res.status} ${await res.text()}`);
    return res.json() as Promise<Record<string, unknown>>;
  });
const commit = (revision: string, summary: string, files: Record<string, string>) =>
  call(
    `models/admin/review/commit/${encodeURIComponent(revision)}`,
    [
      { key: 'header', value: { summary, description: '' } },
      ...Object.entries(files).map(([path, text]) => ({
        key: 'file',
        value: { path, content: text, encoding: 'utf-8' },
      })),
    ]
      .map((line) => JSON.stringify(line))
      .join('\n'),
    'application/x-ndjson',
  );
const lines = (...changed: string[]) =>
  `${Array.from({ length: 20 }, (_, i) => changed.find((line) => line.startsWith(`${i} `)) ?? `${i} as before`).join('\n')}\n`;

beforeAll(async () => {
  hub = await startHubWithPages();
  browser = await openBrowser();
  await call('repos/create', { name: 'review' });
  await commit('main', 'first', { 'notes.txt': lines(), 'config.json': '{\n  "layers": 2\n}\n' });
  await call('models/admin/review/branch/better', {});
  await commit('better', 'More layers', { 'config.json': '{\n  "layers": 4\n}\n' });
  await commit('better', 'Say why', { 'notes.txt': lines('17 because four are better') });
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await hub?.stop();
}, 60_000);

/** Pictures to be looked at by people: only where a folder for them is named. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.LARDER_TEST_PICTURES;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}

test('a discussion is opened, answered with preview, edited, renamed, closed and found again', async () => {
  const { page, troubles, close } = await visit(browser, hub);
  await signIn(page, 'admin', hub.adminPassword, '/admin/review/discussions');
  await page.getByText('Nothing here yet').waitFor();
  await page.getByRole('link', { name: 'New discussion' }).click();
  await page.getByLabel('Title', { exact: true }).fill('Which tokenizer is this?');
  await page.getByLabel('Description').fill('It is **not** in the card.\n\n<script>alert(1)</script>');
  await page.getByRole('button', { name: 'Preview' }).click();
  await page.locator('.prose strong').getByText('not').waitFor();
  await page.getByRole('button', { name: 'Open discussion' }).click();
  await page.waitForURL('**/admin/review/discussions/1');
  await page.locator('.prose strong').getByText('not').waitFor();
  await page.getByLabel('Your comment, in Markdown').fill('See `tokenizer.json`');
  await page.getByRole('button', { name: 'Comment', exact: true }).click();
  await page.locator('.prose code').getByText('tokenizer.json').waitFor();
  await page.getByRole('button', { name: 'What can be done with this comment' }).last().click();
  await page.getByRole('menuitem', { name: 'Edit' }).click();
  await page.getByLabel('Your comment, in Markdown').first().fill('See `tokenizer_config.json`');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('· edited').waitFor();
  await page.getByRole('button', { name: 'More actions' }).click();
  await page.getByRole('menuitem', { name: 'Rename' }).click();
  await page.getByLabel('Title', { exact: true }).fill('Which tokenizer?');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByRole('heading', { name: 'Which tokenizer? #1' }).waitFor();
  await picture(page, 'discussion');
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  await page.getByText('admin closed this').waitFor();
  await page.getByRole('link', { name: /^Discussions/ }).click();
  await page.getByRole('link', { name: '1 closed' }).click();
  await page.getByRole('link', { name: 'Which tokenizer?' }).waitFor();
  expect(troubles).toEqual([]);
  await close();
});

test('a pull request from a branch is reviewed line by line, rebased and merged', async () => {
  const { page, troubles, close } = await visit(browser, hub, { viewport: { width: 1440, height: 900 } });
  await signIn(page, 'admin', hub.adminPassword, '/admin/review/discussions/new?pull=1');
  await page.getByLabel('From branch').selectOption('better');
  await page.getByText('2 commits, 2 files changed').waitFor();
  await page.getByLabel('Title', { exact: true }).fill('Four layers');
  await page.getByRole('button', { name: 'Open pull request' }).click();
  await page.waitForURL('**/admin/review/discussions/2');
  await page.getByText('Ready to merge').waitFor();
  await commit('main', 'Meanwhile', { 'notes.txt': lines('2 from main') });
  await page.getByRole('link', { name: 'Commits 2' }).click();
  await page.getByText('Say why').waitFor();
  await page.getByRole('link', { name: 'Files changed' }).click();
  await page.getByText('"layers": 4').waitFor();
  const line = page.getByRole('cell', { name: '"layers": 4' });
  await line.hover();
  await line.getByRole('button', { name: /^Comment on line/ }).click();
  await page.getByLabel('Your comment, in Markdown').fill('Why **four**?');
  await page.getByRole('button', { name: 'Comment', exact: true }).click();
  await page.locator('.prose strong').getByText('four').waitFor();
  await page.getByRole('button', { name: 'Side by side' }).click();
  await picture(page, 'review');
  await page.getByLabel('Viewed: config.json').check();
  await page.getByText('1 of 2 viewed').waitFor();
  await expect.poll(() => page.locator('.prose strong').count()).toBe(0);
  await page.getByRole('link', { name: /^Conversation/ }).click();
  await page.getByRole('link', { name: 'config.json, line 2' }).waitFor();
  await page.getByText('main is 1 commit ahead').waitFor();
  await picture(page, 'pull-behind');
  await page.getByRole('button', { name: 'Rebase' }).click();
  await page.getByText('admin rebased this onto the branch').waitFor();
  await page.getByText('main is 1 commit ahead').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Merge', exact: true }).click();
  await page.getByText(/^Merged as [0-9a-f]{7}$/).waitFor();
  await picture(page, 'pull-merged');
  const merged = await fetch(`${hub.url}/admin/review/resolve/main/notes.txt`);
  expect(await merged.text()).toBe(lines('2 from main', '17 because four are better'));
  expect(troubles).toEqual([]);
  await close();
});

test('a conflict is named by its files, and who is not signed in reads but is asked to sign in to write', async () => {
  await commit('better', 'Six', { 'config.json': '{\n  "layers": 6\n}\n' });
  await commit('main', 'Eight', { 'config.json': '{\n  "layers": 8\n}\n' });
  const pull = { title: 'Six layers', description: '', pullRequest: true, base: 'main', head: 'better' };
  await call('models/admin/review/discussions', pull);
  const { page, troubles, close } = await visit(browser, hub);
  await page.goto('/admin/review/discussions/3');
  await page.getByText('Conflicts with main').waitFor();
  await page.getByRole('listitem').getByText('config.json').waitFor();
  expect(await page.getByRole('button', { name: 'Merge', exact: true }).count()).toBe(0);
  await page.getByRole('link', { name: 'Sign in to take part' }).waitFor();
  await picture(page, 'pull-conflict');
  expect((await page.goto('/admin/review/discussions/99'))?.status()).toBe(404);
  expect((await page.goto('/admin/review/discussions/3/other'))?.status()).toBe(404);
  expect(troubles.filter((text) => !/404/.test(text))).toEqual([]);
  await close();
});

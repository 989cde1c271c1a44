import { mkdir } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { openBrowser, signIn, startHubWithPages, visit } from './browser.ts';
import { makeRepo } from './model-repo.ts';

let hub: Hub;
let browser: Browser;

beforeAll(async () => {
  hub = await startHubWithPages();
  browser = await openBrowser();
  await makeRepo(hub, 'admin/versions', { 'README.md': '# V', 'old.txt': 'text', 'keep.txt': '1' });
  await commit('rename', [{ key: 'file', value: { path: 'new.txt', oldPath: 'old.txt', content: 'text' } }]);
  await commit('change keep', [{ key: 'file', value: { path: 'keep.txt', content: '2' } }]);
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await hub?.stop();
}, 60_000);

const api = async (method: string, path: string, body?: string) => {
  const response = await fetch(`${hub.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/x-ndjson' },
    ...(body === undefined ? {} : { body }),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
  return response;
};
const commit = (summary: string, operations: unknown[], branch = 'main') =>
  api(
    'POST',
    `/api/models/admin/versions/commit/${branch}`,
    [{ key: 'header', value: { summary } }, ...operations].map((line) => JSON.stringify(line)).join('\n'),
  );

/** Pictures for the eye of whoever asks for them: LARDER_TEST_PICTURES names a folder. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.LARDER_TEST_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
const confirm = async (page: Page, button: string) => {
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: button, exact: true }).click();
  await dialog.waitFor({ state: 'detached' });
};

test('a branch and a tag are made, compared, deleted and restored on one page', async () => {
  const { page, troubles, close } = await visit(browser, hub, { expected: /404|compare|RSC/ });
  await signIn(page, 'admin', hub.adminPassword, '/admin/versions/branches');
  await page.getByRole('button', { name: 'New branch' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('feat/x');
  await confirm(page, 'Create branch');
  await page.getByRole('link', { name: 'feat/x', exact: true }).waitFor();
  await commit('on the side', [{ key: 'file', value: { path: 'side', content: 'x' } }], 'feat%2Fx');
  await commit('on main', [{ key: 'file', value: { path: 'main', content: 'x' } }]);
  await page.getByRole('button', { name: 'New tag' }).click();
  await page.getByRole('dialog').getByLabel('Name').fill('v1');
  await page.getByRole('dialog').getByLabel('Message').fill('the first');
  await confirm(page, 'Create tag');
  await page.getByRole('link', { name: 'v1', exact: true }).waitFor();
  await page.getByText('1 ahead').waitFor();
  await page.getByText('1 behind').waitFor();
  const compare = page.getByRole('link', { name: 'Compare feat/x with main' });
  expect(await compare.getAttribute('href')).toBe('/admin/versions/compare/main..feat%2Fx');
  await picture(page, 'branches');
  await page.getByRole('button', { name: 'Delete branch feat/x' }).click();
  await confirm(page, 'Delete');
  await page.getByRole('heading', { name: 'Recently deleted' }).waitFor();
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await confirm(page, 'Restore');
  await page.getByText('1 ahead').waitFor();
  await page.getByRole('link', { name: 'Earlier positions of feat/x' }).click();
  await page.getByText('The branch is here').waitFor();
  await page.getByText('deleted', { exact: true }).first().waitFor();
  await picture(page, 'reflog');
  expect(troubles).toEqual([]);
  await close();
}, 90_000);

test('a file’s history leads past its rename, and a commit is taken back from the list', async () => {
  const { page, troubles, close } = await visit(browser, hub, { expected: /404/ });
  await signIn(page, 'admin', hub.adminPassword, '/admin/versions/blob/main/new.txt');
  await page.getByRole('link', { name: 'History' }).click();
  await page.getByRole('link', { name: 'rename', exact: true }).waitFor();
  await picture(page, 'file-history');
  await page.getByRole('link', { name: 'old.txt' }).click();
  await page.waitForURL('**/commits/*/old.txt');
  await page.getByRole('link', { name: 'rename', exact: true }).waitFor({ state: 'detached' });
  await page.goto('/admin/versions/commits/main');
  const row = page.getByRole('listitem').filter({ hasText: 'change keep' });
  await picture(page, 'commits');
  await row.getByRole('button', { name: /^Revert / }).click();
  await confirm(page, 'Revert');
  await page.getByRole('link', { name: 'Revert "change keep"' }).waitFor();
  expect(await (await api('GET', '/admin/versions/resolve/main/keep.txt')).text()).toBe('1');
  expect(troubles).toEqual([]);
  await close();
}, 90_000);

test('a commit’s page takes it back, and a comparison leads to a pull request that is filled in', async () => {
  const { page, troubles, close } = await visit(browser, hub, { expected: /404/ });
  await api('POST', '/api/models/admin/versions/branch/wish', '{}');
  await commit('wish it', [{ key: 'file', value: { path: 'wish.txt', content: 'x' } }], 'wish');
  await commit('to be taken back', [{ key: 'file', value: { path: 'back.txt', content: 'x' } }]);
  await signIn(page, 'admin', hub.adminPassword, '/admin/versions/commits/main');
  await page.getByRole('link', { name: 'to be taken back', exact: true }).click();
  await page.getByRole('heading', { name: 'to be taken back' }).waitFor();
  expect(await page.getByRole('link', { name: 'Browse files' }).getAttribute('href')).toMatch(
    /\/tree\/[0-9a-f]{40}$/,
  );
  await page.getByRole('button', { name: 'Revert', exact: true }).click();
  await confirm(page, 'Revert');
  await page.waitForURL('**/commits/main');
  await page.getByRole('link', { name: 'Revert "to be taken back"' }).waitFor();
  expect((await page.request.get('/admin/versions/resolve/main/back.txt')).status()).toBe(404);
  await page.goto('/admin/versions/commit/wish');
  await page.getByRole('button', { name: 'Revert', exact: true }).waitFor();
  await page.goto('/admin/versions/compare/main...wish');
  await page.getByRole('link', { name: 'Open a pull request' }).click();
  await page.getByText('1 commit, 1 file changed').waitFor();
  expect(await page.getByLabel('Title', { exact: true }).inputValue()).toBe('wish it');
  await page.goto('/admin/versions/compare/wish...main');
  await page.getByRole('heading', { name: /ahead/ }).waitFor();
  expect(await page.getByRole('link', { name: 'Open a pull request' }).count()).toBe(0);
  expect(troubles).toEqual([]);
  await close();
}, 90_000);

test('settings protect, rename and hide a repo, and delete it when its name is typed', async () => {
  const { page, troubles, close } = await visit(browser, hub, { expected: /40\d/ });
  await makeRepo(hub, 'admin/settle', { 'README.md': '# S' });
  await signIn(page, 'admin', hub.adminPassword, '/admin/settle/settings');
  await page.getByLabel('Branch or pattern').fill('release/*');
  await page.getByRole('button', { name: 'Protect', exact: true }).click();
  await page.getByText('release/*', { exact: true }).waitFor();
  await page.getByLabel('Visibility').selectOption('private');
  await page.getByRole('button', { name: 'Save' }).first().click();
  await page.getByText('Private', { exact: true }).first().waitFor();
  expect((await fetch(`${hub.url}/admin/settle`)).status).toBe(404);
  await picture(page, 'settings');
  const move = page.locator('form', { has: page.getByRole('button', { name: 'Rename or move' }) });
  await move.getByLabel('Name').fill('settled');
  await move.getByRole('button', { name: 'Rename or move' }).click();
  await page.waitForURL('**/admin/settled/settings');
  await page.goto('/admin/settle');
  await page.waitForURL('**/admin/settled');
  await page.goto('/admin/settle/commits/main/README.md?p=0');
  await page.waitForURL('**/admin/settled/commits/main/README.md?p=0');
  await page.goto('/admin/settled/settings');
  await page.getByRole('button', { name: 'Delete this repository' }).click();
  const dialog = page.getByRole('dialog');
  const button = dialog.getByRole('button', { name: 'Delete this repository' });
  expect(await button.isDisabled()).toBe(true);
  await dialog.getByLabel(/^Type settled/).fill('settled');
  await button.click();
  await page.waitForURL('**/models');
  expect((await page.request.get('/admin/settled')).status()).toBe(404);
  expect(troubles).toEqual([]);
  await close();
}, 90_000);

test.each([
  { locale: 'zh-CN', colorScheme: 'dark', width: 360 },
  { locale: 'en-US', colorScheme: 'light', width: 1440 },
  { locale: 'zh-CN', colorScheme: 'light', width: 1440 },
  { locale: 'en-US', colorScheme: 'dark', width: 360 },
] as const)(
  'the pages of versions and settings fit in $locale, $colorScheme, $width px',
  async (look) => {
    const { locale, colorScheme, width } = look;
    const { page, troubles, close } = await visit(browser, hub, {
      colorScheme,
      viewport: { width, height: 800 },
    });
    await signIn(page, 'admin', hub.adminPassword, '/admin/versions');
    await page.context().addCookies([{ name: 'larder_language', value: locale, url: hub.url }]);
    for (const path of ['branches', 'branches/main', 'commits/main', 'commits/main/new.txt', 'settings']) {
      expect((await page.goto(`/admin/versions/${path}`))?.status(), path).toBe(200);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      expect(overflow, `${path} is wider than the window`).toBeLessThanOrEqual(0);
      await picture(page, `${path.replaceAll('/', '-')}-${locale}-${colorScheme}-${width}`);
    }
    expect(troubles).toEqual([]);
    await close();
  },
  90_000,
);

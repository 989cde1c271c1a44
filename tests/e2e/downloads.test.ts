import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { promisify } from 'node:util';
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
  const text = 'x'.repeat(1500);
  await makeRepo(hub, 'admin/files', { 'README.md': '# F', '数据/a b.txt': text, '数据/c.txt': text });
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await hub?.stop();
}, 60_000);

/** Pictures for the eye of whoever asks for them: LARDER_TEST_PICTURES names a folder. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.LARDER_TEST_PICTURES;
  if (!folder) return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png` });
}

test('a folder is saved as a zip from its page, and its commands are copied', async () => {
  const { page, troubles, close } = await visit(browser, hub, {
    acceptDownloads: true,
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  await signIn(page, 'admin', hub.adminPassword, '/admin/files/tree/main/%E6%95%B0%E6%8D%AE');
  await page.getByRole('button', { name: 'Download' }).click();
  const item = page.getByRole('menuitem', { name: /This folder as \.zip/ });
  await item.getByText('3.00 kB').waitFor();
  await picture(page, 'download-menu');
  const saved = page.waitForEvent('download');
  await item.click();
  const download = await saved;
  expect(download.suggestedFilename()).toBe('files-main-数据.zip');
  const { stdout } = await promisify(execFile)('unzip', ['-Z1', await download.path()], {
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
  });
  expect(stdout.trim().split('\n')).toEqual(['数据/', '数据/a b.txt', '数据/c.txt']);
  await page.getByRole('button', { name: 'Download' }).click();
  await page.getByRole('menuitem', { name: 'hf download' }).click();
  await expect
    .poll(() => page.evaluate(() => navigator.clipboard.readText()))
    .toBe(`export HF_ENDPOINT=${hub.url}\nhf download admin/files --include '数据/*'`);
  expect(troubles).toEqual([]);
  await close();
});

test.each([
  ['light', 1280, 'en-US'],
  ['dark', 360, 'zh-CN'],
] as const)('the menu stays inside the window: %s, %i wide, %s', async (colorScheme, width, locale) => {
  const { page, close } = await visit(browser, hub, {
    colorScheme,
    locale,
    viewport: { width, height: 800 },
  });
  await page.goto('/admin/files/tree/main');
  await page.getByRole('button', { name: locale === 'zh-CN' ? '下载' : 'Download' }).click();
  const menu = page.getByRole('menu');
  await menu.getByText(/\.zip/).waitFor();
  await page.waitForTimeout(300); // for the picture: the size comes a moment later
  await picture(page, `download-${colorScheme}-${width}`);
  const box = await menu.boundingBox();
  expect(box && box.x >= 0 && box.x + box.width <= width).toBe(true);
  await page.keyboard.press('Escape');
  await menu.waitFor({ state: 'detached' });
  await close();
});

import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { openBrowser, signIn, startHubWithPages, visit } from './browser.ts';

let hub: Hub;
let browser: Browser;

beforeAll(async () => {
  hub = await startHubWithPages({ worker: true });
  browser = await openBrowser();
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await hub?.stop();
}, 60_000);

const call = (method: string, path: string, token: string, body?: unknown) =>
  fetch(hub.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });

test('an administrator sees what can be reclaimed, looks again and reclaims; nobody else sees the page', async () => {
  const { adminToken } = hub;
  expect((await call('POST', '/api/repos/create', adminToken, { name: 'gone', type: 'model' })).status).toBe(
    200,
  );
  expect(
    (await call('DELETE', '/api/repos/delete', adminToken, { name: 'gone', type: 'model' })).status,
  ).toBe(200);
  const { page, troubles, close } = await visit(browser, hub);
  await signIn(page, 'admin', hub.adminPassword, '/settings/storage');
  await page.getByText('Nobody has looked yet.').waitFor();
  await page.getByRole('button', { name: 'Look again' }).click();
  await page.getByText('Looked').waitFor({ timeout: 30_000 });
  await page.getByText('done').waitFor({ timeout: 30_000 });
  await page.getByRole('button', { name: 'Reclaim now' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Reclaim now' }).click();
  await page.getByText(/freed .* in the store/).waitFor({ timeout: 30_000 });
  const folder = process.env.LARDER_TEST_SCREENSHOTS;
  if (folder)
    for (const width of [360, 1280])
      for (const scheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 900 });
        await page.emulateMedia({ colorScheme: scheme });
        await page.screenshot({ path: `${folder}/storage-${width}-${scheme}.png`, fullPage: true });
      }
  expect(troubles).toEqual([]);
  await close();
  const stranger = await visit(browser, hub, { expected: /404|403/ });
  await stranger.page.goto('/signup?next=/settings');
  await stranger.page.getByLabel('User name').fill('mallory');
  await stranger.page.getByLabel('Password').fill('a long enough secret');
  await stranger.page.getByRole('button', { name: 'Create account' }).click();
  await stranger.page.waitForURL('**/settings');
  expect(await stranger.page.getByRole('link', { name: 'Storage' }).count()).toBe(0);
  await stranger.page.goto('/settings/storage');
  expect(await stranger.page.getByText('What can be reclaimed').count()).toBe(0);
  expect((await stranger.page.request.get('/api/admin/storage')).status()).toBe(403);
  await stranger.close();
});

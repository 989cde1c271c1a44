import { randomBytes } from 'node:crypto';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { openBrowser, signIn, startHubWithPages, visit } from './browser.ts';
import { makeRepo } from './model-repo.ts';

let hub: Hub;
let browser: Browser;
beforeAll(async () => {
  const members = [{ user: 'admin', role: 'admin' }];
  const seed = { organizations: [{ name: 'acme', fullname: 'Acme', members }] };
  hub = await startHubWithPages({ worker: true, seed });
  await makeRepo(hub, 'admin/model', { 'README.md': '# Model', 'w.bin': randomBytes(700_000) });
  browser = await openBrowser();
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await hub?.stop();
}, 60_000);

test('the storage page tells what is stored; its owner has whole files converted; an administrator sets a limit that shows before it bites', async () => {
  const { page, troubles, close } = await visit(browser, hub);
  await signIn(page, 'admin', hub.adminPassword, '/admin/model/storage');
  await expect.poll(() => page.getByText('700 kB in 1 file take 700 kB').count()).toBe(1);
  await page.getByRole('button', { name: 'Store in chunks' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Store in chunks' }).click();
  await expect
    .poll(
      async () => {
        await page.reload();
        return page.getByRole('button', { name: 'Store in chunks' }).count();
      },
      { timeout: 30_000, interval: 1000 },
    )
    .toBe(0);
  await page.goto('/settings/usage');
  await page.getByLabel('Limit for admin').fill('0.0008');
  await page.getByRole('button', { name: 'Set limit' }).first().click();
  await expect.poll(() => page.getByText('The storage of admin is 88% full').count()).toBe(1);
  await page.getByLabel('Limit for acme').fill('2');
  await page.getByLabel('Limit for acme').press('Enter');
  await expect.poll(() => page.getByText('0 B of 2.00 GB used').count()).toBe(1);
  await page.goto('/admin');
  expect(await page.getByText('The storage of admin is 88% full').count()).toBe(1);
  expect(troubles).toEqual([]);
  await close();
}, 120_000);

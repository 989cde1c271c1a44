import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { openBrowser, signIn, startHubWithPages, visit } from './browser.ts';

let hub: Hub;
let browser: Browser;

beforeAll(async () => {
  hub = await startHubWithPages();
  browser = await openBrowser();
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await hub?.stop();
}, 60_000);

const whoami = (token: string) =>
  fetch(`${hub.url}/api/whoami-v2`, { headers: { authorization: `Bearer ${token}` } });

test('a stranger signs up, makes a private model and is the only one to see it', async () => {
  const { page, troubles, close } = await visit(browser, hub);
  await page.goto('/signup?next=/new');
  await page.getByLabel('User name').fill('grace');
  await page.getByLabel('Password').fill('a long enough secret');
  await page.getByRole('button', { name: 'Create account' }).click();
  await page.waitForURL('**/new');
  await page.getByLabel('Name', { exact: true }).fill('first-model');
  await page.getByLabel('Private').check();
  await page.getByLabel('Licence').selectOption('mit');
  await page.getByRole('button', { name: 'Create model' }).click();
  await page.waitForURL('**/grace/first-model');
  await page.getByText('Private', { exact: true }).waitFor();
  await page.getByText('Licence mit').waitFor();
  expect(troubles).toEqual([]);
  await close();
  expect((await fetch(`${hub.url}/grace/first-model`)).status).toBe(404);
});

test('a token is shown once, works, and is dead soon after it is revoked', async () => {
  const { page, troubles, close } = await visit(browser, hub);
  await signIn(page, 'admin', hub.adminPassword, '/settings/tokens');
  await page.getByRole('button', { name: 'New token' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill('laptop');
  await dialog.getByLabel('May').selectOption('write');
  await dialog.getByRole('button', { name: 'Create token' }).click();
  const token = (await dialog.getByText(/^hf_\w{32,}$/).innerText()).trim();
  expect((await whoami(token)).status).toBe(200);
  await dialog.getByRole('button', { name: 'Done' }).click();
  const revoke = page.getByRole('button', { name: 'Revoke: laptop' });
  await revoke.waitFor();
  await page.reload();
  expect(await page.content()).not.toContain(token);
  await revoke.click();
  await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
  await revoke.waitFor({ state: 'detached' }); // the dialog, which names the token too, closes a little later
  await expect.poll(async () => (await whoami(token)).status, { timeout: 12_000 }).toBe(401);
  expect(troubles).toEqual([]);
  await close();
});

test('a wrong password is refused in words, and the right one still works', async () => {
  const { page, close } = await visit(browser, hub);
  await page.goto('/login');
  await page.getByLabel('User name').fill('admin');
  await page.getByLabel('Password').fill('not it at all');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('User name or password is wrong.').waitFor();
  await page.getByLabel('Password').fill(hub.adminPassword);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname === '/');
  await page.getByRole('button', { name: 'Account' }).click();
  await page.getByRole('menuitem', { name: 'Sign out' }).click();
  await page.getByRole('link', { name: 'Sign in' }).waitFor();
  await close();
});

test('pages of one’s own ask to sign in first and lead back, never to another site', async () => {
  const { page, close } = await visit(browser, hub);
  await page.goto('/settings/tokens');
  expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/login?next=%2Fsettings%2Ftokens');
  for (const evil of ['//evil.invalid', '/\\evil.invalid', 'https://evil.invalid', 'javascript:alert(1)']) {
    await page.context().clearCookies();
    await page.goto(`/login?next=${encodeURIComponent(evil)}`);
    await page.getByLabel('User name').fill('admin');
    await page.getByLabel('Password').fill(hub.adminPassword);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.waitForURL(`${hub.url}/`);
  }
  await close();
});

test('a name that is taken or not allowed is refused with the hub’s own reason', async () => {
  const { page, close } = await visit(browser, hub);
  await signIn(page, 'admin', hub.adminPassword, '/new');
  await page.getByLabel('Name', { exact: true }).fill('not/allowed');
  await page.getByRole('button', { name: 'Create model' }).click();
  await page.locator('form p[class*="bad"]').waitFor();
  await page.getByLabel('Name', { exact: true }).fill('fine');
  await page.getByRole('button', { name: 'Create model' }).click();
  await page.waitForURL('**/admin/fine');
  await close();
});

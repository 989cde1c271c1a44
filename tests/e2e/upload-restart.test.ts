import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { openProfile, signIn, startHubWithPages } from './browser.ts';
import { type Line, layLine } from './line.ts';
import { makeRepo } from './model-repo.ts';
import { choose, downloadHash, writeRandomFile } from './upload-files.ts';

const LARGE_BYTES = 36 * 1024 * 1024;
/** What the hub writes at once, and so the most that a break can cost. */
const PART_BYTES = 16 * 1024 * 1024;
let dir: string;
let hub: Hub;
let line: Line;
let browser: BrowserContext;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-restart-'));
  hub = await startHubWithPages();
  line = await layLine(hub.url);
  for (const name of ['given', 'chosen']) await makeRepo(hub, `admin/${name}`, {});
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await line?.close();
  await hub?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

async function open(): Promise<Page> {
  browser = await openProfile(join(dir, 'profile'), line.url);
  const page = await browser.newPage();
  page.on('dialog', (dialog) => void dialog.accept());
  page.setDefaultTimeout(20_000);
  return page;
}

/** Ends the whole browser when so much went out, and opens it again on the same profile. */
async function restartAt(page: Page, bytes: number): Promise<Page> {
  while (line.sentBytes() < bytes) await page.waitForTimeout(20);
  await browser.close();
  return open();
}

const said = (page: Page, text: string | RegExp) => page.getByText(text).first().waitFor();

/** Puts a folder with a file where the browser gives handles without asking, and lets its picker give that one; returns the SHA-256. */
const letPickerGive = (page: Page, sizeBytes: number) =>
  page.evaluate(async (size) => {
    const root = await navigator.storage.getDirectory();
    const top = await root.getDirectoryHandle('top', { create: true });
    const deep = await top.getDirectoryHandle('deep', { create: true });
    const handle = await deep.getFileHandle('given.bin', { create: true });
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
    const file = await handle.createWritable();
    await file.write(bytes);
    await file.close();
    Object.assign(window, { showDirectoryPicker: async () => top });
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
    return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }, sizeBytes);

test('an upload goes on by itself when the browser was closed and opened again, where it gives handles on folders', async () => {
  let page = await open();
  await signIn(page, 'admin', hub.adminPassword);
  await page.goto('/admin/given/upload/main');
  const sha256 = await letPickerGive(page, LARGE_BYTES);
  line.limit(20_000_000);
  const before = line.sentBytes();
  await page.getByRole('button', { name: 'Choose a folder' }).click();
  page = await restartAt(page, before + LARGE_BYTES * 0.6);
  await page.goto('/admin/given/tree/main');
  await said(page, 'An upload to this repo is not committed yet');
  await page.getByRole('link', { name: 'Go on' }).click();
  line.limit(0);
  await said(page, 'Everything is in: 1 file');
  expect(line.sentBytes() - before - LARGE_BYTES).toBeLessThan(2 * PART_BYTES);
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/admin/given/tree/main');
  const served = await downloadHash(`${hub.url}/admin/given/resolve/main/deep/given.bin`, hub.adminToken);
  expect(served).toBe(sha256);
  await browser.close();
});

test('without handles it says which file to choose again; chosen alone and not with its folder, it goes on where it was', async () => {
  const sha256 = await writeRandomFile(join(dir, 'model/deep/chosen.bin'), LARGE_BYTES, 5);
  let page = await open();
  await page.goto('/admin/chosen/upload/main');
  await said(page, 'Drag files or folders here');
  line.limit(20_000_000);
  const before = line.sentBytes();
  await choose(page, 'folder', join(dir, 'model'));
  page = await restartAt(page, before + LARGE_BYTES * 0.6);
  await page.goto('/admin/chosen/upload/main');
  await said(page, 'Choose 1 file again to continue');
  await said(page, 'You can choose the whole folder “model”');
  await said(page, 'deep/chosen.bin');
  line.limit(0);
  await choose(page, 'files', [join(dir, 'model/deep/chosen.bin')]);
  await said(page, 'Everything is in: 1 file');
  expect(line.sentBytes() - before - LARGE_BYTES).toBeLessThan(2 * PART_BYTES);
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/admin/chosen/tree/main');
  const address = `${hub.url}/admin/chosen/resolve/main/deep/chosen.bin`;
  expect(await downloadHash(address, hub.adminToken)).toBe(sha256);
});

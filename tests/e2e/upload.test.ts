import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { openBrowser, signIn, startHubWithPages, type Visitor, visit } from './browser.ts';
import { type Line, layLine } from './line.ts';
import { makeRepo } from './model-repo.ts';
import { choose, downloadHash, writeRandomFile, writeSmallFiles } from './upload-files.ts';

const LARGE_BYTES = 36 * 1024 * 1024;
/** What the hub writes at once, and so the most that each break can cost. */
const PART_BYTES = 16 * 1024 * 1024;
let hub: Hub;
let line: Line;
let browser: Browser;
let visitor: Visitor;
let page: Page;
let folder: string;
let small: Map<string, Buffer>;
let largeSha: string;
let otherSha: string;

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'larder-upload-')), 'model');
  small = await writeSmallFiles(folder, 20);
  largeSha = await writeRandomFile(join(folder, 'model.safetensors'), LARGE_BYTES, 1);
  otherSha = await writeRandomFile(join(folder, '../other.bin'), LARGE_BYTES, 2);
  hub = await startHubWithPages();
  line = await layLine(hub.url);
  await makeRepo(hub, 'admin/filled', { '.gitignore': '*.log\n' });
  browser = await openBrowser();
  visitor = await visit(browser, { ...hub, url: line.url }, { expected: /status of 4|ERR_/ });
  await signIn(visitor.page, 'admin', hub.adminPassword);
  page = await visitor.page.context().newPage(); // a tab that may be left while it sends
  page.setDefaultTimeout(20_000);
  page.on('dialog', (dialog) => void dialog.accept());
  page.on('pageerror', (error) => visitor.troubles.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !/status of 4|ERR_/.test(message.text()))
      visitor.troubles.push(message.text());
  });
}, 240_000);

afterAll(async () => {
  await visitor?.close();
  await browser?.close();
  await line?.close();
  await hub?.stop();
  await rm(join(folder, '..'), { recursive: true, force: true });
}, 60_000);

async function raw(repo: string, path: string, revision = 'main'): Promise<string> {
  const res = await fetch(`${hub.url}/${repo}/raw/${revision}/${path}`);
  return res.ok ? res.text() : `HTTP ${res.status}`;
}

const said = (text: string | RegExp, within = page) => within.getByText(text).first().waitFor();

test('a folder is uploaded into a new model with one commit of exactly its bytes', async () => {
  await page.goto('/new');
  await page.getByLabel('Name').fill('fresh');
  await page.getByRole('button', { name: 'Create and upload files' }).click();
  await page.waitForURL('**/admin/fresh/upload/main');
  await said('Drag files or folders here');
  await choose(page, 'folder', folder);
  await said('Everything is in: 21 files');
  await page.getByLabel('What changes').fill('Bring the model');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/admin/fresh/tree/main');
  await said('Bring the model');
  for (const [path, content] of small)
    if (path.endsWith('.txt')) expect(await raw('admin/fresh', path)).toBe(content.toString());
  expect(await downloadHash(`${hub.url}/admin/fresh/resolve/main/model.safetensors`, hub.adminToken)).toBe(
    largeSha,
  );
  expect(visitor.troubles).toEqual([]);
});

test('what the user may read already is not sent: 0 bytes go out', async () => {
  await page.goto('/admin/filled/tree/main');
  await page.getByRole('button', { name: 'Add file' }).click();
  await page.getByRole('menuitem', { name: 'Upload files' }).click();
  await page.waitForURL('**/admin/filled/upload/main');
  const before = line.sentBytes();
  await choose(page, 'files', [join(folder, 'model.safetensors')]);
  await said('Already stored: 0 B sent');
  await said('not sent');
  expect(line.sentBytes() - before).toBeLessThan(200_000);
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/admin/filled/tree/main');
  expect(await downloadHash(`${hub.url}/admin/filled/resolve/main/model.safetensors`, hub.adminToken)).toBe(
    largeSha,
  );
});

test('a file that the hub will not take is named with its reason before a byte is sent; the rest goes on without it', async () => {
  await writeFile(join(folder, '../train.log'), 'noise');
  await writeFile(join(folder, '../kept.txt'), 'kept');
  await page.goto('/admin/filled/upload/main/notes');
  await choose(page, 'files', [
    join(folder, '../train.log'),
    join(folder, '../kept.txt'),
    join(folder, '../other.bin'),
  ]);
  await said('1 file cannot be uploaded');
  await said('the .gitignore of this repository leaves it out');
  await said('Nothing is sent before you have decided');
  const before = line.sentBytes();
  await page.waitForTimeout(300);
  expect(line.sentBytes() - before).toBeLessThan(20_000);
  await page.getByRole('button', { name: 'Remove notes/other.bin' }).click();
  await page.getByRole('button', { name: 'Remove and upload the rest' }).click();
  await said('Everything is in: 1 file');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/admin/filled/tree/main/notes');
  expect(await raw('admin/filled', 'notes/kept.txt')).toBe('kept');
});

test('who may not write drops a file on the Files page and proposes it: the branch stays as it is', async () => {
  const reader = await visit(browser, hub);
  reader.page.setDefaultTimeout(20_000);
  await reader.page.goto('/signup');
  await reader.page.getByLabel('User name').fill('reader');
  await reader.page.getByLabel('Password').fill('a long enough secret');
  await reader.page.getByRole('button', { name: 'Create account' }).click();
  await reader.page.waitForURL((url) => url.pathname === '/');
  await reader.page.goto('/admin/filled/tree/main');
  await reader.page.getByRole('button', { name: 'Add file' }).click();
  await reader.page.keyboard.press('Escape');
  await reader.page.evaluate(() => {
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File(['by a reader'], 'idea.txt'));
    dataTransfer.items.add(new File([new Uint8Array([0, 1, 2])], 'idea.bin'));
    for (const type of ['dragenter', 'drop'])
      window.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
  });
  await reader.page.waitForURL('**/admin/filled/upload/main');
  await said('Everything is in: 2 files', reader.page);
  await reader.page.getByRole('button', { name: 'Propose changes' }).click();
  await reader.page.waitForURL('**/discussions/1');
  expect(await raw('admin/filled', 'idea.txt', 'refs%2Fpr%2F1')).toBe('by a reader');
  expect(await raw('admin/filled', 'idea.txt')).toBe('HTTP 404');
  expect(reader.troubles).toEqual([]);
  await reader.close();
});

test('an upload goes on after a cut line, a reload and a restart of the hub, and sends little twice', async () => {
  await page.goto('/admin/filled/upload/main');
  await said('Drag files or folders here');
  const before = line.sentBytes();
  line.limit(12_000_000);
  await choose(page, 'files', [join(folder, '../other.bin'), join(folder, '../kept.txt')]);
  const reached = async (share: number) => {
    while (line.sentBytes() - before < LARGE_BYTES * share) await page.waitForTimeout(20);
  };
  await reached(0.25);
  await line.cut();
  await said('Waiting for the connection');
  await line.mend();
  await reached(0.5);
  await page.reload();
  await said('Choose 1 file again to continue');
  await page.getByRole('button', { name: 'Commit when all files are in' }).click();
  await choose(page, 'files', [join(folder, '../other.bin')]);
  await reached(0.75);
  await hub.kill();
  await said('Waiting for the connection');
  await hub.restart();
  await page.waitForURL('**/admin/filled/tree/main', { timeout: 40_000 });
  line.limit(0);
  expect(line.sentBytes() - before - LARGE_BYTES).toBeLessThan(3 * PART_BYTES);
  expect(await downloadHash(`${hub.url}/admin/filled/resolve/main/other.bin`, hub.adminToken)).toBe(otherSha);
  expect(await raw('admin/filled', 'kept.txt')).toBe('kept');
  expect(visitor.troubles).toEqual([]);
});

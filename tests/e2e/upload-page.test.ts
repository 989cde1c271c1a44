import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { openBrowser, signIn, startHubWithPages, type Visitor, visit } from './browser.ts';
import { makeRepo } from './model-repo.ts';
import { choose, writeRandomFile } from './upload-files.ts';

const MANY = 800;
const LARGE = Buffer.alloc(40_000, 7);
let dir: string;
let hub: Hub;
let browser: Browser;
let visitor: Visitor;
let page: Page;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'larder-page-'));
  await mkdir(join(dir, 'many'));
  for (let i = 0; i < MANY; i++)
    await writeFile(join(dir, `many/note-${String(i).padStart(4, '0')}.txt`), `note ${i}\n`);
  for (const [name, content] of [
    ['kept.txt', 'kept\n'],
    ['changed.txt', 'after\n'],
    ['fresh.txt', 'fresh\n'],
    ['w.bin', LARGE],
  ] as const)
    await writeFile(join(dir, name), content);
  hub = await startHubWithPages();
  await makeRepo(hub, 'admin/many', {});
  await makeRepo(hub, 'admin/held', { 'kept.txt': 'kept\n', 'changed.txt': 'before\n', 'w.bin': LARGE });
  browser = await openBrowser();
  visitor = await visit(browser, hub, { permissions: ['clipboard-read', 'clipboard-write'] });
  page = visitor.page;
  page.setDefaultTimeout(20_000);
  await signIn(page, 'admin', hub.adminPassword);
}, 240_000);

afterAll(async () => {
  await visitor?.close();
  await browser?.close();
  await hub?.stop();
  await rm(dir, { recursive: true, force: true });
}, 60_000);

const said = (text: string | RegExp) => page.getByText(text).first().waitFor();
const rows = () => page.getByRole('region', { name: 'Files of this upload' }).getByRole('listitem');

async function openUpload(address: string): Promise<void> {
  await page.goto(address);
  await said('Drag files or folders here');
}

async function removeAll(): Promise<void> {
  await page.getByRole('button', { name: 'Remove all' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Remove all' }).click();
  await said('Drag files or folders here');
}

test('a folder of 800 files is asked about once, shown by the rows in sight, gone through by keys, kept over a reload and committed', async () => {
  let asked = 0;
  page.on('request', (request) => {
    if (request.url().endsWith('/upload-preflight')) asked++;
  });
  await openUpload('/admin/many/upload/main');
  await choose(page, 'folder', join(dir, 'many'));
  await said('Everything is in: 800 files');
  expect(asked).toBe(1);
  expect(await rows().count()).toBeLessThan(40);
  await page.getByRole('region', { name: 'Files of this upload' }).focus();
  await page.keyboard.press('End');
  const last = rows().filter({ hasText: 'note-0799.txt' });
  await last.waitFor();
  expect(await last.getAttribute('aria-posinset')).toBe(String(MANY));
  await page.reload();
  await said('Everything is in: 800 files');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await page.waitForURL('**/admin/many/tree/main');
  const tree = await fetch(`${hub.url}/api/models/admin/many/tree/main?limit=1000`);
  expect(((await tree.json()) as unknown[]).length).toBe(MANY + 1); // with .gitattributes
  expect(await (await fetch(`${hub.url}/admin/many/raw/main/note-0799.txt`)).text()).toBe('note 799\n');
  expect(visitor.troubles).toEqual([]);
});

test('many small binaries take one request each, and who listens hears of them twice: at the start and at the end', async () => {
  for (let i = 0; i < 40; i++) await writeRandomFile(join(dir, `bins/${i}.bin`), 2_000 + i, i);
  let sent = 0;
  page.on('request', (request) => {
    if (request.url().includes('/tus')) sent++;
  });
  await openUpload('/admin/held/upload/main/bins');
  await page.evaluate(() => {
    const heard = new Set<string>();
    const look = () => {
      for (const region of document.querySelectorAll('output.sr-only'))
        if (region.textContent) heard.add(region.textContent);
    };
    new MutationObserver(look).observe(document.body, {
      subtree: true,
      childList: true,
      characterData: true,
    });
    Object.assign(window, { heard });
  });
  await choose(page, 'folder', join(dir, 'bins'));
  await said('Everything is in: 40 files');
  await page.getByRole('status').filter({ hasText: 'Everything is in' }).waitFor({ state: 'attached' });
  const heard = await page.evaluate(() => [...(window as unknown as { heard: Set<string> }).heard]);
  expect(heard.length, heard.join('; ')).toBe(2);
  expect(sent).toBe(40);
  await removeAll();
});

test('before the commit it is said which files are replaced and which are the same; when all are, that there is nothing to do', async () => {
  await openUpload('/admin/held/upload/main');
  const names = ['kept.txt', 'changed.txt', 'fresh.txt', 'w.bin'];
  await choose(
    page,
    'files',
    names.map((name) => join(dir, name)),
  );
  await said('Everything is in: 4 files');
  await said('1 file replaces one that is in main now');
  await said('2 files are the same as those there and do not change');
  const states = await rows().allInnerTexts();
  expect(states.map((text) => /replaces|same/.exec(text)?.[0] ?? 'new')).toEqual([
    'replaces',
    'new',
    'same',
    'same',
  ]);
  for (const name of ['changed.txt', 'fresh.txt'])
    await page.getByRole('button', { name: `Remove ${name}` }).click();
  await said('Nothing to do: 2 files are the same as those in main');
  await page.getByRole('button', { name: 'Commit to main' }).click();
  await said('Nothing changed: the files were there already');
  expect(visitor.troubles).toEqual([]);
});

test('a file in the way of a folder is named before anything is sent', async () => {
  await page.goto('/admin/held/upload/main');
  await mkdir(join(dir, 'top/kept.txt'), { recursive: true });
  await writeFile(join(dir, 'top/kept.txt/deep.bin'), LARGE);
  await choose(page, 'folder', join(dir, 'top'));
  await said('1 file cannot be uploaded');
  await said('"kept.txt" is a file. Delete it first.');
  await removeAll();
});

test('pictures and files are taken from the clipboard, two pictures as two; text that is pasted into a field stays text', async () => {
  await openUpload('/admin/held/upload/main/pasted');
  const paste = async (text: string | null) => {
    await page.evaluate(async (words) => {
      const canvas = new OffscreenCanvas(4, 4);
      canvas.getContext('2d');
      const type = words === null ? 'image/png' : 'text/plain';
      const data = words === null ? await canvas.convertToBlob({ type }) : new Blob([words], { type });
      await navigator.clipboard.write([new ClipboardItem({ [type]: data })]);
    }, text);
    await page.keyboard.press('Control+v');
  };
  await paste(null);
  await said('Everything is in: 1 file');
  await paste(null);
  await said('Everything is in: 2 files');
  const [one, two] = await rows().allInnerTexts();
  expect([one, two].map((text) => /^pasted\/pasted-[-\d.]+\.png/.test(text ?? ''))).toEqual([true, true]);
  await page.getByLabel('What changes').focus();
  await paste('From the clipboard');
  expect(await page.getByLabel('What changes').inputValue()).toBe('From the clipboard');
  expect(await rows().count()).toBe(2);
  await removeAll();
});

test('the keyboard keeps its place: a pressed button stays, a removed row hands on to the next one', async () => {
  await page.route('**/upload-preflight', () => {}); // so that all stays as it is
  await openUpload('/admin/held/upload/main');
  await choose(page, 'files', [join(dir, 'kept.txt'), join(dir, 'changed.txt'), join(dir, 'fresh.txt')]);
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  await page.getByRole('button', { name: 'Pause changed.txt' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Resume changed.txt' }).waitFor();
  expect(await focused()).toBe('Resume changed.txt');
  await page.getByRole('button', { name: 'Remove changed.txt' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Remove changed.txt' }).waitFor({ state: 'detached' });
  expect(await focused()).toBe('Remove fresh.txt');
  await page.unrouteAll({ behavior: 'ignoreErrors' });
  expect(visitor.troubles).toEqual([]);
});

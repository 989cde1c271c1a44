import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { openBrowser, signIn, visit } from '#tests/e2e/browser.ts';
import { makeRepo } from '#tests/e2e/model-repo.ts';
import { choose } from '#tests/e2e/upload-files.ts';
import { buildPages } from '../../bin/launcher/build.ts';
import { type BytesRoom, openBytesRoom, writeRandomFile } from './bytes-room.ts';
import { startPeer, stopPeer } from './children.ts';
import type { Figure } from './main.ts';
import { PageCache } from './page-cache.ts';

const ROUNDS = 3;

/** Seconds from the choice of a file on the hub's own page until its commit is shown. */
async function byHub(page: Page, repo: string, file: string): Promise<number> {
  await page.goto(`/${repo}/upload/main`);
  await page.getByText('Drag files or folders here').first().waitFor();
  const startedMs = performance.now();
  await choose(page, 'files', file);
  await page.getByRole('button', { name: 'Commit when all files are in' }).click();
  await page.waitForURL(`**/${repo}/tree/main`, { timeout: 600_000 });
  return (performance.now() - startedMs) / 1000;
}

/** Seconds for the file as one body from a page of the peer's. */
async function byFetch(page: Page, url: string, file: string): Promise<number> {
  await page.goto(url);
  await page.locator('input').setInputFiles(file);
  const startedMs = performance.now();
  await page.evaluate(async () => {
    const [chosen] = (document.querySelector('input') as HTMLInputElement).files ?? [];
    const answer = await fetch('/', { method: 'PUT', body: chosen ?? null });
    if (!answer.ok) throw new Error(await answer.text());
  });
  const seconds = (performance.now() - startedMs) / 1000;
  await fetch(url, { method: 'DELETE' });
  return seconds;
}

async function measure(room: BytesRoom, page: Page, peerUrl: string): Promise<Figure[]> {
  await signIn(page, 'admin', room.hub.adminPassword);
  page.setDefaultTimeout(600_000);
  const spareBytes = room.sizeBytes < 2 ** 30 ? Number.POSITIVE_INFINITY : (ROUNDS + 2) * room.sizeBytes;
  const cache = await PageCache.open(room.dir, spareBytes);
  const other = await page.context().newPage();
  const hub: number[] = [];
  const put: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // New bytes each time, and another size: the page would first look whether they are stored already.
    const file = join(room.dir, `random-${round}.bin`);
    await writeRandomFile(file, room.sizeBytes - round);
    await makeRepo(room.hub, `admin/big-${round}`, {});
    await cache.settle();
    put.push(await byFetch(other, peerUrl, file));
    await cache.settle();
    hub.push(await byHub(page, `admin/big-${round}`, file));
    await rm(file);
  }
  const best = { hub: Math.min(...hub), put: Math.min(...put) };
  const mbPerS = (seconds: number) => (room.sizeBytes / 1e6 / seconds).toFixed(0);
  return [
    {
      name: 'the upload page in Chromium / PUT by Chromium',
      value: best.put / best.hub,
      unit: '×',
      limit: 0.8,
      good: 'at least',
      detail: `from the choice to the commit ${mbPerS(best.hub)} against ${mbPerS(best.put)} MB/s; ${hub.map((s) => s.toFixed(1)).join(', ')} s`,
    },
  ];
}

/** An upload by the hub's page in a real browser against a plain PUT by the same browser into the same kind of store; best of three. */
export async function benchChromium(): Promise<Figure[]> {
  await buildPages(() => {});
  const room = await openBytesRoom({ LARDER_ROLE: 'all' });
  const peer = await startPeer('tests/bench/put-server.ts', [join(room.dir, 'peer')], {});
  const browser = await openBrowser();
  try {
    const { page } = await visit(browser, room.hub);
    return await measure(room, page, `http://127.0.0.1:${peer.port}/`);
  } finally {
    await browser.close();
    await stopPeer(peer.child);
    await room.close();
  }
}

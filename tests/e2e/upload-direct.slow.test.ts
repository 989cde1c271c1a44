import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { startRgw, type TestS3 } from '#tests/support/rgw.ts';
import { openBrowser, signIn, startHubWithPages, visit } from './browser.ts';
import { makeRepo } from './model-repo.ts';
import { choose, downloadHash, writeRandomFile } from './upload-files.ts';

const LARGE_BYTES = 200 * 1024 * 1024;
let s3: TestS3;
let hub: Hub;
let browser: Browser;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'larder-direct-'));
  s3 = await startRgw();
  hub = await startHubWithPages({
    env: {
      S3_ENDPOINT: s3.endpoint,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      S3_BUCKET: 'direct',
    },
  });
  await makeRepo(hub, 'admin/direct', {});
  browser = await openBrowser();
});

afterAll(async () => {
  await browser?.close();
  await hub?.stop();
  await s3?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** A tab on the upload page that notes what goes to the store and what to the hub. */
async function openTab() {
  const visitor = await visit(browser, hub, { expected: /left the hub|status of|ERR_|CORS/ });
  await signIn(visitor.page, 'admin', hub.adminPassword);
  const page = await visitor.page.context().newPage();
  page.setDefaultTimeout(60_000);
  page.on('dialog', (dialog) => void dialog.accept());
  const sent: string[] = [];
  page.on('requestfinished', (request) => {
    if (request.method() === 'PUT' && request.url().startsWith(s3.endpoint)) sent.push('part');
    if (request.method() === 'PATCH') sent.push('tus');
  });
  await page.goto('/admin/direct/upload/main');
  const said = (text: string) => page.getByText(text).first().waitFor();
  await said('Drag files or folders here');
  const commit = async () => {
    await said('Everything is in');
    await page.getByRole('button', { name: 'Commit to main' }).click();
    await page.waitForURL('**/admin/direct/tree/main');
  };
  return { page, sent, said, commit, close: visitor.close };
}

const served = (path: string) => downloadHash(`${hub.url}/admin/direct/resolve/main/${path}`, hub.adminToken);

test('where browsers reach the store a large file goes there in parts, and after a reload only the missing ones are sent', async () => {
  const sha256 = await writeRandomFile(join(folder, 'direct.bin'), LARGE_BYTES, 21);
  const { page, sent, said, commit, close } = await openTab();
  await page.route(`${s3.endpoint}/**partNumber=4**`, (route) => route.abort('connectionreset'));
  await choose(page, 'files', [join(folder, 'direct.bin')]);
  await said('Waiting for the connection');
  expect(sent.filter((each) => each === 'part').length).toBe(3);
  await page.reload();
  await said('Choose 1 file again to continue');
  await page.unroute(`${s3.endpoint}/**partNumber=4**`);
  await choose(page, 'files', [join(folder, 'direct.bin')]);
  await commit();
  expect(sent).toEqual(['part', 'part', 'part', 'part']);
  expect(await served('direct.bin')).toBe(sha256);
  await close();
});

test('where the store cannot be reached from the browser the file goes through the hub', async () => {
  const sha256 = await writeRandomFile(join(folder, 'through.bin'), LARGE_BYTES, 22);
  const { page, sent, commit, close } = await openTab();
  await page.route(`${s3.endpoint}/**`, (route) => route.abort('accessdenied'));
  await choose(page, 'files', [join(folder, 'through.bin')]);
  await commit();
  expect(sent).toEqual(['tus']);
  expect(await served('through.bin')).toBe(sha256);
  await close();
});

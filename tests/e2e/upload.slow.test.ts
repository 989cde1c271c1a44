import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tusPartSize } from '#lib/repos/files/tus/plan-piece.ts';
import { openBrowser, signIn, startHubWithPages, visit } from './browser.ts';
import { layLine } from './line.ts';
import { makeRepo } from './model-repo.ts';
import { choose, downloadHash, writeRandomFile, writeSmallFiles } from './upload-files.ts';

const LARGE_BYTES = 2 * 1024 ** 3;
/** A part on the local store grows: a kill costs what was on its way to the disk, 16 MiB at most, a cut nothing. */
const ON_ITS_WAY_BYTES = 16 * 2 ** 20;
/** What was sent into a connection that died lay in the buffers of the system, a few MB a break. */
const IN_SOCKETS_BYTES = 8 * 2 ** 20;
const BREAKS = 3;
const PART_BYTES = tusPartSize(LARGE_BYTES, 1);

test('a folder of 300 small files and one of 2 GiB survives a dead network at 30 %, a reload at 50 % and a killed hub at 70 %: exactly its bytes, and all breaks together cost less than one part: what was on its way to the disk and in sockets', async () => {
  const folder = join(await mkdtemp(join(tmpdir(), 'larder-upload-')), 'model');
  const small = await writeSmallFiles(folder, 300);
  const largeSha = await writeRandomFile(join(folder, 'model.safetensors'), LARGE_BYTES, 7);
  const hub = await startHubWithPages();
  const line = await layLine(hub.url);
  const browser = await openBrowser();
  try {
    await makeRepo(hub, 'admin/big', {});
    const visitor = await visit(browser, { ...hub, url: line.url }, { expected: /status of|ERR_/ });
    await signIn(visitor.page, 'admin', hub.adminPassword);
    const page = await visitor.page.context().newPage();
    page.setDefaultTimeout(120_000);
    page.on('dialog', (dialog) => void dialog.accept());
    const said = (text: string) => page.getByText(text).first().waitFor();
    await page.goto('/admin/big/upload/main');
    await said('Drag files or folders here');
    const before = line.sentBytes();
    page.on('response', (response) => {
      const offset = response.headers()['upload-offset'];
      if (response.request().method() === 'HEAD' && Number(offset) > 0)
        console.log(`goes on at ${offset} after ${line.sentBytes() - before} B`);
    });
    const reached = async (share: number) => {
      while (line.sentBytes() - before < LARGE_BYTES * share) await page.waitForTimeout(20);
    };
    const startedAt = performance.now();
    await choose(page, 'folder', folder);
    await reached(0.3);
    await line.cut();
    await said('Waiting for the connection');
    await page.waitForTimeout(2_000);
    await line.mend();
    await reached(0.5);
    await page.reload();
    await said('Choose 1 file again to continue');
    await page.getByRole('button', { name: 'Commit when all files are in' }).click();
    await choose(page, 'folder', folder);
    await reached(0.7);
    await hub.kill();
    await said('Waiting for the connection');
    await hub.restart();
    await page.waitForURL('**/admin/big/tree/main', { timeout: 300_000 });
    const smallBytes = [...small.values()].reduce((sum, { length }) => sum + length, 0);
    const twice = line.sentBytes() - before - LARGE_BYTES - smallBytes;
    console.log(
      `sent twice (with headers and pages): ${twice} B; ${Math.round(performance.now() - startedAt)} ms`,
    );
    expect(twice).toBeLessThan(ON_ITS_WAY_BYTES + BREAKS * IN_SOCKETS_BYTES);
    expect(twice).toBeLessThan(PART_BYTES);
    const resolve = (path: string) => `${hub.url}/admin/big/resolve/main/${path}`;
    expect(await downloadHash(resolve('model.safetensors'), hub.adminToken)).toBe(largeSha);
    for (const [path, content] of small) {
      const got = await fetch(resolve(path), { headers: { authorization: `Bearer ${hub.adminToken}` } });
      expect(Buffer.from(await got.arrayBuffer()).equals(content), path).toBe(true);
    }
    const tree = await fetch(`${hub.url}/api/models/admin/big/tree/main?recursive=true`);
    const files = ((await tree.json()) as { type: string }[]).filter((entry) => entry.type === 'file');
    expect(files.length).toBe(small.size + 2); // with .gitattributes
    expect(visitor.troubles).toEqual([]);
  } finally {
    await browser.close();
    await line.close();
    await hub.stop();
    await rm(join(folder, '..'), { recursive: true, force: true });
  }
});

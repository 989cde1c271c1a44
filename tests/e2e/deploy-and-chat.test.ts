import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { SCRIPTED_SENTENCE, scriptedModel } from '#tests/support/scripted-model.ts';
import { openBrowser, signIn, startHubWithPages, type Visitor, visit } from './browser.ts';
import { makeRepo } from './model-repo.ts';

const CARD = `---
license: apache-2.0
pipeline_tag: text-generation
---
# A scripted model

It always says the same, $e^{i\\pi} = -1$.

| a | b |
|---|---|
| 1 | 2 |
`;

let hub: Hub;
let browser: Browser;
let visitor: Visitor;

beforeAll(async () => {
  hub = await startHubWithPages({ worker: true });
  await makeRepo(hub, 'admin/scripted', { 'README.md': CARD, 'model-Q8_0.gguf': scriptedModel() });
  await makeRepo(hub, 'admin/words-only', { 'README.md': '# No weights' });
  browser = await openBrowser();
  visitor = await visit(browser, hub);
  await signIn(visitor.page, 'admin', hub.adminPassword);
}, 240_000);

afterAll(async () => {
  await browser?.close();
  await hub?.stop();
}, 60_000);

test('a reader finds a model by a part of its name and reads its card', async () => {
  const { page } = visitor;
  await page.getByRole('main').getByRole('searchbox').fill('cript');
  await page.keyboard.press('Enter');
  await page.getByRole('link', { name: 'admin/scripted' }).click();
  await page.getByRole('heading', { name: 'A scripted model' }).waitFor();
  expect(await page.locator('.prose table').count()).toBe(1);
  expect(await page.locator('.prose .katex').count()).toBe(1);
  await page.getByText('Licence apache-2.0').waitFor();
});

test('the commands to use a model carry this hub’s own address', async () => {
  const { page } = visitor;
  await page.getByRole('button', { name: 'Use this model' }).click();
  const dialog = page.getByRole('dialog');
  for (const [tab, part] of [
    ['hf', `HF_ENDPOINT=${hub.url}`],
    ['huggingface_hub', `endpoint="${hub.url}"`],
    ['transformers', `"HF_ENDPOINT"] = "${hub.url}"`],
    ['JavaScript', `hubUrl: "${hub.url}"`],
    ['curl', `${hub.url}/admin/scripted/resolve/main/model-Q8_0.gguf`],
    ['git', `git clone ${hub.url}/admin/scripted`],
  ] as const) {
    await dialog.getByRole('tab', { name: tab, exact: true }).click();
    expect(await dialog.getByRole('tabpanel').innerText()).toContain(part);
  }
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
});

test('one press on Deploy, and the endpoint becomes ready before the reader’s eyes', async () => {
  const { page } = visitor;
  await page.getByRole('button', { name: 'Deploy' }).click();
  await page.waitForURL('**/endpoints/admin/scripted');
  const timeline = page.getByRole('list').filter({ hasText: 'Queued' });
  await timeline.getByText('Ready', { exact: true }).waitFor({ timeout: 90_000 });
  expect(await timeline.getByRole('listitem').count()).toBeGreaterThanOrEqual(3);
  await page.getByText('live', { exact: true }).waitFor();
}, 120_000);

test('an answer streams into the playground and is measured', async () => {
  const { page } = visitor;
  await page.getByRole('textbox', { name: 'Say something to scripted' }).fill('Hello');
  await page.keyboard.press('Enter');
  await page.getByText(SCRIPTED_SENTENCE).waitFor({ timeout: 60_000 });
  await page.getByText(/\d tokens · .*tokens\/s/).waitFor();
  await page.getByRole('button', { name: 'Clear chat' }).click();
  await page.getByText('Ask something to see tokens stream.').waitFor();
}, 90_000);

test('Stop stops, Resume starts again, Delete asks and then deletes', async () => {
  const { page } = visitor;
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByText('The endpoint is stopped. Resume it to chat.').waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.getByText('Ask something to see tokens stream.').waitFor({ timeout: 90_000 });
  await page.getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await page.waitForURL('**/endpoints');
  await page.getByText('No endpoint yet').waitFor();
}, 180_000);

test('a model without a GGUF says why it cannot be deployed', async () => {
  const { page } = visitor;
  await page.goto('/admin/words-only');
  // It is aria-disabled and not disabled, so that its reason can be reached.
  await page.getByRole('button', { name: 'Deploy' }).click({ force: true });
  await page.getByText('Deploy needs a .gguf file in this repo').waitFor();
  expect(new URL(page.url()).pathname).toBe('/admin/words-only');
});

test('on the whole way nothing failed in the browser and nothing left the hub', () => {
  expect(visitor.troubles).toEqual([]);
});

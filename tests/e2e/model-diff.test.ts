import { uploadFiles } from '@huggingface/hub';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Hub } from '#tests/support/hub.ts';
import { floats, writeSafetensors } from '#tests/support/safetensors-writer.ts';
import { openBrowser, startHubWithPages, visit } from './browser.ts';
import { makeRepo } from './model-repo.ts';

const LAYERS = 6;
const PARTS = ['self_attn.q_proj', 'mlp.up_proj', 'input_layernorm'];

/** A small model; `tuned` is the layer whose attention another training moved. */
function weights(tuned: number | null): Buffer {
  const inner = Array.from({ length: LAYERS }, (_, layer) =>
    PARTS.map((part) => ({
      name: `model.layers.${layer}.${part}.weight`,
      isTuned: layer === tuned && part.includes('q_proj'),
    })),
  ).flat();
  const all = [
    { name: 'model.embed_tokens.weight', isTuned: false },
    ...inner,
    { name: 'lm_head.weight', isTuned: false },
  ];
  return writeSafetensors(
    all.map(({ name, isTuned }, n) => ({
      name,
      dtype: 'F32',
      shape: [16, 64],
      data: floats(1024, (i) => Math.sin(i + n) * (isTuned ? 1.25 : 1)),
    })),
  );
}

const tokenizer = (tokens: readonly string[]) =>
  JSON.stringify({
    added_tokens: [],
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((t, id) => [t, id])), merges: [] },
  });

let hub: Hub;
let browser: Browser;
beforeAll(async () => {
  hub = await startHubWithPages({ worker: true });
  await makeRepo(hub, 'admin/m', {
    'README.md': '---\nlicense: mit\n---\n# M\n',
    'config.json': '{"hidden_size": 64, "rope_theta": 10000}',
    'tokenizer.json': tokenizer(['a', 'b', 'c']),
    'model.safetensors': weights(null),
  });
  await uploadFiles({
    repo: { type: 'model', name: 'admin/m' },
    accessToken: hub.adminToken,
    hubUrl: hub.url,
    useXet: false,
    commitTitle: 'Tune layer 3',
    files: Object.entries({
      'README.md': '---\nlicense: apache-2.0\n---\n# M\n',
      'config.json': '{"hidden_size": 64, "rope_theta": 500000}',
      'tokenizer.json': tokenizer(['a', 'b', 'd', 'c']),
      'model.safetensors': weights(3),
    }).map(([path, content]) => ({
      path,
      content: new Blob([typeof content === 'string' ? content : new Uint8Array(content)]),
    })),
  });
  browser = await openBrowser();
}, 240_000);
afterAll(async () => {
  await browser?.close();
  await hub?.stop();
}, 60_000);

test('two ticked commits show in a sentence and a picture which tensors changed, and by how much', async () => {
  const { page, troubles, close } = await visit(browser, hub);
  await page.goto('/admin/m/commits/main');
  await page.locator('input[name=c]').nth(0).check();
  await page.locator('input[name=c]').nth(1).check();
  await page.getByRole('button', { name: 'Compare ticked' }).click();
  await page.getByText('1 of 20 tensors changed, 95 % of bytes shared').waitFor({ timeout: 30_000 });
  const row = page.getByRole('row', { name: /model\.layers\.3\.self_attn\.q_proj\.weight/ });
  await row.getByText('0.250').first().waitFor({ timeout: 30_000 });
  await page.getByTitle('layer 3 · attn: 1 of 1 changed · |Δ| / |a| 0.25').waitFor();
  await page.getByTitle('layer 2 · attn: 0 of 1 changed').waitFor();
  await page.getByRole('searchbox', { name: 'Filter tensors' }).fill('lm_head');
  await page.getByText('1 of 20', { exact: true }).waitFor();
  expect(troubles).toEqual([]);
  await close();
});

test('a commit shows its configuration by key, its vocabulary by token, its text by line in either style', async () => {
  const { page, troubles, close } = await visit(browser, hub);
  await page.goto('/admin/m/commits/main');
  await page.getByRole('link', { name: 'Tune layer 3' }).click();
  await page.getByRole('heading', { name: 'Tune layer 3' }).waitFor();
  const config = page.getByRole('region', { name: 'config.json' });
  await config.getByRole('button', { name: 'Keys' }).click();
  await config.getByRole('row', { name: /rope_theta 10000 → 500000/ }).waitFor();
  const vocabulary = page.getByRole('region', { name: 'tokenizer.json' });
  await vocabulary.getByText('1 added').waitFor();
  await vocabulary.getByText('1 with another id').waitFor();
  const card = page.getByRole('region', { name: 'README.md' });
  await card.getByText('apache-2.0').waitFor();
  await page.getByRole('button', { name: 'Side by side' }).click();
  await card.locator('tr:has-text("license: mit"):has-text("license: apache-2.0")').waitFor();
  await page.reload();
  await card.locator('tr:has-text("license: mit"):has-text("license: apache-2.0")').waitFor(); // remembered
  await page.keyboard.press('n');
  await page.keyboard.press('n');
  await page.waitForFunction(() => document.activeElement?.id === 'file-2');
  await page.keyboard.press('p');
  await page.waitForFunction(() => document.activeElement?.id === 'file-1');
  expect(troubles).toEqual([]);
  await close();
});

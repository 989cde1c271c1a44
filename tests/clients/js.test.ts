import { createHash } from 'node:crypto';
import {
  checkRepoAccess,
  commit,
  countCommits,
  createRepo,
  deleteFile,
  deleteRepo,
  downloadFile,
  fileExists,
  listCommits,
  listDatasets,
  listFiles,
  listModels,
  modelInfo,
  pathsInfo,
  repoExists,
  uploadFiles,
  whoAmI,
} from '@huggingface/hub';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Hub, startHub } from '../support/hub.ts';
import { noise } from './files.ts';

let hub: Hub;
let access: { hubUrl: string; accessToken: string };
const files = {
  'config.json': Buffer.from('{"model_type":"gpt2"}'),
  'weights/model.safetensors': noise(12),
  'small.bin': Buffer.from([0, 1, 2, 3]),
  'empty.txt': Buffer.alloc(0),
  'spaced out/übung.md': Buffer.from('hi'),
};
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

beforeAll(async () => {
  hub = await startHub();
  access = { hubUrl: hub.url, accessToken: hub.adminToken };
});

afterAll(() => hub?.stop());

test('whoAmI, createRepo with a licence, repoExists, deleteRepo', async () => {
  expect(await whoAmI(access)).toMatchObject({ type: 'user', name: 'admin' });
  const { repoUrl, id } = await createRepo({ ...access, repo: 'admin/life', license: 'mit' });
  expect([repoUrl, id]).toEqual([`${hub.url}/admin/life`, expect.stringMatching(/^[0-9a-f]{24}$/)]);
  expect((await all(listFiles({ ...access, repo: 'admin/life' }))).map((f) => f.path)).toEqual([
    '.gitattributes',
    'README.md',
  ]);
  await deleteRepo({ ...access, repo: 'admin/life' });
  expect(await repoExists({ ...access, repo: 'admin/life' })).toBe(false);
  await expect(checkRepoAccess({ ...access, repo: 'admin/life' })).rejects.toMatchObject({ statusCode: 404 });
});

describe.each([
  ['LFS', false],
  ['Xet', true],
])('uploaded over %s', (name, useXet) => {
  const repo = { type: 'dataset' as const, name: `admin/js-${useXet}` };

  beforeAll(async () => {
    await createRepo({ ...access, repo });
    const made = await uploadFiles({
      ...access,
      repo,
      useXet,
      commitTitle: `over ${name}`,
      files: Object.entries(files).map(([path, bytes]) => ({
        path,
        content: new Blob([new Uint8Array(bytes)]),
      })),
    });
    const { oid, url } = made?.commit ?? {};
    expect(url).toBe(`${hub.url}/datasets/${repo.name}/commit/${oid}`);
  });

  test.each([false, true])('each file downloads with its bytes (Xet: %s)', async (xet) => {
    for (const [path, bytes] of Object.entries(files)) {
      const blob = await downloadFile({ ...access, repo, path, xet });
      expect(sha256(new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(1)))).toBe(sha256(bytes));
    }
    expect(await downloadFile({ ...access, repo, path: 'nope' })).toBeNull();
  });

  test('a slice of a large file reads only its range', async () => {
    const path = 'weights/model.safetensors';
    const blob = await downloadFile({ ...access, repo, path, xet: false });
    const part = await blob?.slice(5_000_000, 5_000_100).arrayBuffer();
    expect(Buffer.from(part ?? new ArrayBuffer(0))).toEqual(files[path].subarray(5_000_000, 5_000_100));
  });

  test('the listing has sizes, hashes and last commits; paths and raw files are found', async () => {
    const entries = await all(listFiles({ ...access, repo, recursive: true, expand: true }));
    const large = entries.find((entry) => entry.path === 'weights/model.safetensors');
    expect(large).toMatchObject({
      size: 12 * 2 ** 20,
      lfs: { oid: sha256(files['weights/model.safetensors']) },
      lastCommit: { title: `over ${name}` },
    });
    const found = await pathsInfo({ ...access, repo, paths: ['small.bin', 'nope'] });
    expect(found).toMatchObject([{ path: 'small.bin', size: 4 }]);
    expect(await fileExists({ ...access, repo, path: 'config.json' })).toBe(true);
    expect(await fileExists({ ...access, repo, path: 'nope' })).toBe(false);
  });
});

test('edits and history', async () => {
  const repo = 'admin/js-edits';
  await createRepo({ ...access, repo });
  await commit({
    ...access,
    repo,
    title: 'two files',
    operations: [
      { operation: 'addOrUpdate', path: 'a.txt', content: new Blob(['a']) },
      { operation: 'addOrUpdate', path: 'd/b.txt', content: new Blob(['b']) },
    ],
  });
  await deleteFile({ ...access, repo, path: 'a.txt' });
  await commit({ ...access, repo, title: 'folder', operations: [{ operation: 'delete', path: 'd' }] });
  expect((await all(listFiles({ ...access, repo, recursive: true }))).map((f) => f.path)).toEqual([
    '.gitattributes',
  ]);
  const commits = await all(listCommits({ ...access, repo, batchSize: 2 }));
  expect(commits.map((c) => c.title)).toEqual(['folder', 'Delete a.txt', 'two files', 'initial commit']);
  expect(await countCommits({ ...access, repo, revision: 'main' })).toBe(4);
  await expect(
    commit({
      ...access,
      repo,
      title: 'late',
      parentCommit: commits[2]?.oid as string,
      operations: [{ operation: 'addOrUpdate', path: 'x', content: new Blob(['x']) }],
    }),
  ).rejects.toMatchObject({ statusCode: 412 });
});

test('listings and info', async () => {
  const models = await all(listModels({ ...access, search: { owner: 'admin' }, additionalFields: ['tags'] }));
  expect(models.map((m) => m.name)).toContain('admin/js-edits');
  expect(models[0]?.updatedAt).toBeInstanceOf(Date);
  const datasets = await all(listDatasets({ ...access, search: { query: 'js-' } }));
  expect(datasets.map((d) => d.name).sort()).toEqual(['admin/js-false', 'admin/js-true']);
  const info = await modelInfo({ ...access, name: 'admin/js-edits', additionalFields: ['sha', 'author'] });
  expect(info).toMatchObject({
    name: 'admin/js-edits',
    author: 'admin',
    sha: expect.stringMatching(/^[0-9a-f]{40}$/),
  });
});

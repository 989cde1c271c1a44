import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import { factsOf } from '#lib/catalog/facts-of.ts';
import { refreshFacts } from '#lib/catalog/refresh-facts.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { linkFile } from '#lib/repos/files/link-file.ts';
import type { CommitOperation, Repo } from '#lib/repos/types.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import { file, header, makeUser } from '../repos/people.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { type GgufValue, writeGguf } from '../support/gguf-writer.ts';

let testApp: TestApp;
let ctx: Ctx;
let made = 0;

beforeAll(async () => {
  testApp = await createTestApp();
  ctx = testApp.ctxFor(await makeUser(testApp.app.db, 'alice'));
});

afterAll(() => testApp?.close());

const newRepo = (type: Repo['type'] = 'model') =>
  createRepo(ctx, { type, namespace: 'alice', name: `repo-${made++}` });

async function push(repo: Repo, operations: CommitOperation[]): Promise<string> {
  return (await createCommit(ctx, repo, { revision: 'main', header: header('push'), operations })).commitOid;
}

/** Stores a large file for the repo and gives the operation that commits it. */
async function large(repo: Repo, path: string, bytes: Buffer): Promise<CommitOperation> {
  const sha256 = createHash('sha256').update(bytes).digest('hex') as Sha256;
  const key = newObjectKey('blob');
  await ctx.store.put(key, bytes, { sizeBytes: bytes.length });
  const { rows } = await ctx.db.query<{ id: number }>(
    `INSERT INTO stored_object (key, size_bytes, sha256, state) VALUES ($1, $2, decode($3, 'hex'), 'live') RETURNING id`,
    [key, bytes.length, sha256],
  );
  const edge = { repoId: repo.id, sha256, sizeBytes: bytes.length, userId: 'test' };
  await linkFile(ctx.db, { ...edge, objectId: rows[0]?.id as number });
  return { kind: 'lfsFile', path, sha256, sizeBytes: bytes.length };
}

function safetensors(tensors: Record<string, [dtype: string, shape: number[], bytes: number]>): Buffer {
  let offset = 0;
  const described = Object.entries(tensors).map(([name, [dtype, shape, bytes]]) => {
    const entry = { dtype, shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
    return [name, entry];
  });
  const json = Buffer.from(JSON.stringify(Object.fromEntries(described)));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, Buffer.alloc(offset)]);
}

const gguf = () =>
  writeGguf(
    new Map<string, GgufValue>([
      ['general.architecture', { type: 'string', value: 'llama' }],
      ['llama.context_length', { type: 'u32', value: 64 }],
      ['tokenizer.ggml.tokens', { type: 'strings', value: ['<unk>', '<s>', '</s>', 'a'] }],
      ['tokenizer.ggml.bos_token_id', { type: 'u32', value: 1 }],
      ['tokenizer.ggml.eos_token_id', { type: 'u32', value: 2 }],
      ['tokenizer.chat_template', { type: 'string', value: '{{ messages }}' }],
    ]),
    [{ name: 'w', shape: [4, 8], data: new Float32Array(32), as: 'f32' }],
  );

test('facts follow every push: card, config, tags, and are stored for the listing', async () => {
  const repo = await newRepo();
  expect(await factsOf(ctx, repo)).toMatchObject({ card: {}, tags: [], license: null });
  const oid = await push(repo, [
    file(
      'README.md',
      '---\nlicense: mit\nlanguage: [en, zh]\nbase_model: a/b\ndatasets: [squad]\ntags: [x]\n---\nSee https://arxiv.org/abs/2401.00001.',
    ),
    file('config.json', '{"model_type":"bert","architectures":["BertForMaskedLM"],"auto_map":{"A":"b"}}'),
    file('tokenizer_config.json', '{"mask_token":"[MASK]"}'),
  ]);
  const facts = await factsOf(ctx, repo);
  expect(facts).toMatchObject({
    commitOid: oid,
    license: 'mit',
    languages: ['en', 'zh'],
    baseModels: ['a/b'],
    pipelineTag: 'fill-mask',
    libraryName: 'transformers',
  });
  expect(facts?.tags).toEqual([
    'transformers',
    'bert',
    'fill-mask',
    'x',
    'custom_code',
    'en',
    'zh',
    'dataset:squad',
    'arxiv:2401.00001',
    'base_model:a/b',
    'base_model:finetune:a/b',
    'license:mit',
  ]);
  const { rows } = await ctx.db.query('SELECT tags FROM repo_facts WHERE repo_id = $1', [repo.id]);
  expect(rows[0]?.tags).toEqual(facts?.tags);
});

test('a GGUF and sharded safetensors are counted from their headers', async () => {
  const repo = await newRepo();
  const index = { weight_map: { a: 'model-1.safetensors', b: 'model-2.safetensors' } };
  await push(repo, [
    await large(repo, 'q4.gguf', gguf()),
    await large(repo, 'model-1.safetensors', safetensors({ a: ['F32', [2, 3], 24] })),
    await large(repo, 'model-2.safetensors', safetensors({ b: ['BF16', [5], 10] })),
    file('model.safetensors.index.json', JSON.stringify(index)),
  ]);
  expect(await factsOf(ctx, repo)).toMatchObject({
    gguf: {
      total: 32,
      architecture: 'llama',
      context_length: 64,
      bos_token: '<s>',
      eos_token: '</s>',
      chat_template: '{{ messages }}',
    },
    safetensors: { parameters: { F32: 6, BF16: 5 }, total: 11 },
    parameters: 11,
    pipelineTag: 'text-generation',
    formats: ['safetensors', 'gguf'],
    tags: ['safetensors', 'gguf', 'text-generation', 'conversational'],
  });
});

test('content that is not what its name says leaves only its own facts empty', async () => {
  const repo = await newRepo();
  await push(repo, [
    file('config.json', '{nope'),
    file('README.md', '# no metadata'),
    await large(repo, 'fake.gguf', Buffer.from('this is no gguf at all, whatever it is called')),
    await large(repo, 'model.safetensors', Buffer.alloc(100, 0xff)),
  ]);
  expect(await factsOf(ctx, repo)).toMatchObject({
    gguf: null,
    safetensors: null,
    config: null,
    formats: ['safetensors', 'gguf'],
  });
});

test('the job after a push does the same, twice is as once, and a deleted repo is done', async () => {
  const repo = await newRepo('dataset');
  const oid = await push(repo, [
    file(
      'README.md',
      '---\nlicense: mit\nlanguage: en\ntask_categories: [text-generation]\nsize_categories: n<1K\n---\n',
    ),
  ]);
  await refreshFacts(testApp.app, { repoId: repo.id });
  await refreshFacts(testApp.app, { repoId: repo.id });
  const { rows } = await ctx.db.query<{ oid: string; tags: string[] }>(
    `SELECT encode(commit_oid, 'hex') AS oid, tags FROM repo_facts WHERE repo_id = $1`,
    [repo.id],
  );
  expect(rows).toEqual([
    {
      oid,
      tags: ['task_categories:text-generation', 'language:en', 'license:mit', 'size_categories:n<1K'],
    },
  ]);
  await refreshFacts(testApp.app, { repoId: 999_999_999 });
});

test('while the store cannot be read the answer lacks the headers, nothing is stored, and the job is tried again', async () => {
  const repo = await newRepo();
  await push(repo, [await large(repo, 'm.gguf', gguf())]);
  const store = { ...ctx.store, pieces: async () => Promise.reject(new Error('the store is down')) };
  const broken = {
    ...ctx,
    store: store as Ctx['store'],
    log: { ...ctx.log, warn: () => {} } as unknown as Ctx['log'],
  };
  expect(await factsOf(broken, repo)).toMatchObject({ gguf: null, formats: ['gguf'] });
  await expect(refreshFacts(broken, { repoId: repo.id })).rejects.toThrow(/incomplete/);
  expect((await factsOf(ctx, repo))?.gguf?.total).toBe(32);
});

test('many viewers of a new head cost one reading', async () => {
  const repo = await newRepo();
  await push(repo, [await large(repo, 'm.gguf', gguf())]);
  let opened = 0;
  const pieces: Ctx['store']['pieces'] = (...args) => {
    opened++;
    return ctx.store.pieces(...args);
  };
  const counted = { ...ctx, store: { ...ctx.store, pieces } as Ctx['store'] };
  await factsOf(counted, repo);
  const alone = opened;
  await push(repo, [file('x', 'x')]);
  opened = 0;
  await Promise.all(Array.from({ length: 20 }, () => factsOf(counted, repo)));
  expect(opened).toBe(alone);
  expect(alone).toBeGreaterThan(0);
});

import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Sha256 } from '#lib/base/ids.ts';
import { computeDeltas } from '#lib/catalog/diff/compute-deltas.ts';
import { computeDigest } from '#lib/catalog/diff/compute-digest.ts';
import { hasDigest, selectDigests } from '#lib/catalog/diff/db.ts';
import { diffTensors, type ModelDiff } from '#lib/catalog/diff/diff-tensors.ts';
import { digestPushed } from '#lib/catalog/diff/want-digests.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { parseRange } from '#lib/repos/diff/parse-range.ts';
import { linkFile } from '#lib/repos/files/link-file.ts';
import type { CommitOperation, Repo } from '#lib/repos/types.ts';
import { newObjectKey } from '#lib/storage/keys.ts';
import { file, header, makeUser } from '../repos/people.ts';
import { createTestApp, type TestApp } from '../support/app.ts';
import { writeGguf } from '../support/gguf-writer.ts';
import { floats, rawSafetensors, type SafeTensor, writeSafetensors } from '../support/safetensors-writer.ts';

let testApp: TestApp;
let ctx: Ctx;
let made = 0;
beforeAll(async () => {
  testApp = await createTestApp();
  ctx = testApp.ctxFor(await makeUser(testApp.app.db, 'alice'));
});
afterAll(() => testApp?.close());

const newRepo = () => createRepo(ctx, { type: 'model', namespace: 'alice', name: `r${made++}` });
const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex') as Sha256;

/** Stores a large file for the repo, under its own hash or another, and gives the operation that commits it. */
async function large(
  repo: Repo,
  path: string,
  bytes: Buffer,
  sha256 = sha256Of(bytes),
): Promise<CommitOperation> {
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

/** Commits files one after the other side and compares the two commits. */
async function commit(repo: Repo, operations: CommitOperation[]): Promise<string> {
  return (await createCommit(ctx, repo, { revision: 'main', header: header('push'), operations })).commitOid;
}

const diffOf = async (repo: Repo) => (await diffTensors(ctx, repo, parseRange('main^..main'))).models;

interface Wish {
  name: string;
  data: { repoId: number; sha256: string; before: string; after: string };
}

/** Does what the worker does with all that was asked for: each distinct job once. */
async function work(repo: Repo): Promise<string[]> {
  const { rows } = await ctx.db.query<Wish>(
    `SELECT name, data FROM pgboss.job WHERE name LIKE 'tensors.%' AND (data->>'repoId')::int = $1 AND state = 'created'`,
    [repo.id],
  );
  for (const { name, data } of rows)
    await (name === 'tensors.digest' ? computeDigest(ctx, data) : computeDeltas(ctx, data));
  await ctx.db.query(`UPDATE pgboss.job SET state = 'completed' WHERE (data->>'repoId')::int = $1`, [
    repo.id,
  ]);
  return rows.map((row) => row.name);
}

const fatesOf = ({ rows }: ModelDiff) => Object.fromEntries(rows.map((row) => [row.name, row.fate]));
const weight = (name: string, count: number, valueOf: (i: number) => number): SafeTensor => ({
  name,
  dtype: 'F32',
  shape: [count],
  data: floats(count, valueOf),
});

describe('two versions of a safetensors model', () => {
  const base = [
    weight('model.embed_tokens.weight', 1000, (i) => i),
    weight('model.layers.0.self_attn.q_proj.weight', 100_000, (i) => Math.sin(i)),
    weight('model.layers.0.mlp.up_proj.weight', 200, (i) => i + 1),
    weight('model.layers.1.mlp.up_proj.weight', 200, (i) => i + 2),
    weight('model.layers.1.input_layernorm.weight', 10, () => 1),
    weight('old.name', 300, (i) => i * 3),
    weight('lm_head.weight', 50, (i) => i),
  ];
  const tuned = [
    base[0] as SafeTensor,
    weight('model.layers.0.self_attn.q_proj.weight', 100_000, (i) => Math.sin(i) * 1.1),
    { ...(base[2] as SafeTensor), dtype: 'I32' },
    base[3] as SafeTensor,
    base[4] as SafeTensor,
    weight('new.name', 300, (i) => i * 3),
    weight('extra.bias', 5, () => 0),
  ];

  test('are told apart tensor by tensor: headers at once, contents and distances when the worker is done', async () => {
    const repo = await newRepo();
    await commit(repo, [await large(repo, 'model.safetensors', writeSafetensors(base))]);
    await commit(repo, [await large(repo, 'model.safetensors', writeSafetensors(tuned))]);
    const [first] = await diffOf(repo);
    expect(first).toMatchObject({ name: 'model.safetensors', state: 'hashing', invalid: null });
    expect(first?.summary.fates).toEqual({
      added: 2,
      removed: 2,
      renamed: 0,
      retyped: 1,
      changed: 0,
      unchanged: 0,
      unknown: 4,
    });
    expect(await work(repo)).toEqual(['tensors.digest', 'tensors.digest']);
    expect((await diffOf(repo))[0]).toMatchObject({ state: 'measuring' });
    expect(await work(repo)).toEqual(['tensors.deltas']);
    const [ready] = await diffOf(repo);
    expect(ready?.state).toBe('ready');
    expect(fatesOf(ready as ModelDiff)).toEqual({
      'model.layers.0.self_attn.q_proj.weight': 'changed',
      'model.layers.0.mlp.up_proj.weight': 'retyped',
      'extra.bias': 'added',
      'lm_head.weight': 'removed',
      'new.name': 'renamed',
      'model.embed_tokens.weight': 'unchanged',
      'model.layers.1.mlp.up_proj.weight': 'unchanged',
      'model.layers.1.input_layernorm.weight': 'unchanged',
    });
    expect(ready?.summary).toMatchObject({ total: 8, different: 4, sharedBytes: 6_040, totalBytes: 406_860 });
    expect(ready?.rows.find((row) => row.fate === 'renamed')).toMatchObject({ oldName: 'old.name' });
    const { delta } = ready?.rows[0] ?? {};
    expect(delta?.relative).toBeCloseTo(0.1, 5);
    expect(delta?.cosine).toBeCloseTo(1, 5);
    expect(delta?.sampled).toBe(65_536);
    expect(delta?.maxAbs).toBeCloseTo(0.1, 2);
    expect(ready?.strip.filter((cell) => cell.different > 0).map(({ layer, kind }) => [layer, kind])).toEqual(
      [
        [null, 'other'],
        [null, 'head'],
        [0, 'attn'],
        [0, 'mlp'],
      ],
    );
    expect(await work(repo)).toEqual([]); // nothing is asked for twice
  });

  test('are one model however they are cut into shards', async () => {
    const repo = await newRepo();
    const shard = (n: number, of: number, tensors: SafeTensor[]) =>
      large(repo, `model-0000${n}-of-0000${of}.safetensors`, writeSafetensors(tensors));
    await commit(repo, [await shard(1, 2, base.slice(0, 3)), await shard(2, 2, base.slice(3))]);
    await commit(repo, [
      { kind: 'deleteFile', path: 'model-00001-of-00002.safetensors' },
      { kind: 'deleteFile', path: 'model-00002-of-00002.safetensors' },
      await large(repo, 'model.safetensors', writeSafetensors(base.toReversed())),
    ]);
    await diffOf(repo);
    await work(repo);
    const models = await diffOf(repo);
    expect(models).toHaveLength(1);
    expect(models[0]).toMatchObject({ state: 'ready', summary: { total: 7, different: 0 } });
    expect(models[0]?.before.files).toHaveLength(2);
    expect(models[0]?.summary.sharedBytes).toBe(models[0]?.summary.totalBytes);
  });

  test('that changed one shard of many are still told as a whole', async () => {
    const repo = await newRepo();
    const shard = (n: number, tensors: SafeTensor[]) =>
      large(repo, `model-0000${n}-of-00002.safetensors`, writeSafetensors(tensors));
    await commit(repo, [await shard(1, base.slice(0, 3)), await shard(2, base.slice(3))]);
    await commit(repo, [await shard(2, [...base.slice(3, 6), weight('lm_head.weight', 50, (i) => i + 1)])]);
    await digestPushed(ctx, { repoId: repo.id });
    await diffOf(repo);
    await work(repo);
    expect((await diffOf(repo))[0]?.summary).toMatchObject({ total: 7, different: 1 });
  });

  test('that lie in git itself are hashed on the spot', async () => {
    const repo = await newRepo();
    const small = (tensors: SafeTensor[]): CommitOperation => ({
      kind: 'file',
      path: 'a.safetensors',
      content: writeSafetensors(tensors),
    });
    await commit(repo, [file('.gitattributes', ''), small([weight('w', 4, (i) => i)])]);
    await commit(repo, [small([weight('w', 4, (i) => i + 1)])]);
    expect((await diffOf(repo))[0]).toMatchObject({ state: 'ready', summary: { different: 1, total: 1 } });
  });
});

test('two GGUF files are compared like any weights, a quantisation under another name too', async () => {
  const repo = await newRepo();
  const gguf = (second: number) =>
    writeGguf(new Map(), [
      { name: 'blk.0.attn_q.weight', shape: [4, 8], data: new Float32Array(32).fill(1), as: 'f32' },
      {
        name: 'blk.1.ffn_up.weight',
        shape: [4, 8],
        data: new Float32Array(32).fill(second),
        as: second === 1 ? 'f16' : 'f32',
      },
    ]);
  await commit(repo, [await large(repo, 'm-f16.gguf', gguf(1))]);
  await commit(repo, [
    { kind: 'deleteFile', path: 'm-f16.gguf' },
    await large(repo, 'm-f32.gguf', gguf(1.5)),
  ]);
  for (let round = 0; round < 2; round++) {
    await diffOf(repo);
    await work(repo);
  }
  const [model] = await diffOf(repo);
  expect(model).toMatchObject({ name: 'm-f32.gguf', oldName: 'm-f16.gguf', state: 'ready' });
  expect(fatesOf(model as ModelDiff)).toEqual({
    'blk.1.ffn_up.weight': 'retyped',
    'blk.0.attn_q.weight': 'unchanged',
  });
  expect(model?.rows[0]).toMatchObject({
    before: { dtype: 'F16' },
    after: { dtype: 'F32' },
    delta: { relative: 0.5, cosine: 1 },
  });
});

describe('files that lie', () => {
  const entry = (start: number, end: number, shape = [(end - start) / 4]) => ({
    dtype: 'F32',
    shape,
    data_offsets: [start, end],
  });
  const json = (tensors: Record<string, unknown>) => JSON.stringify(tensors);
  const data = Buffer.alloc(16);
  const gguf = writeGguf(new Map(), [
    { name: 'a', shape: [8], data: new Float32Array(8), as: 'f32' },
    { name: 'b', shape: [8], data: new Float32Array(8), as: 'f32' },
  ]);
  const twice = Buffer.from(gguf);
  twice.write('a', twice.indexOf('b', 30));
  const overlapping = Buffer.from(gguf);
  overlapping.writeBigUInt64LE(0n, overlapping.indexOf('b', 30) + 1 + 4 + 8 + 4);

  test.each<[string, string, Buffer, RegExp]>([
    [
      'a header of 2^63 bytes',
      'safetensors',
      Buffer.concat([Buffer.from('ffffffffffffff7f', 'hex'), data]),
      /its header claims/,
    ],
    [
      'a header longer than the file',
      'safetensors',
      Buffer.concat([Buffer.from([99, 0, 0, 0, 0, 0, 0, 0]), data]),
      /longer than the file/,
    ],
    [
      'NaN in its JSON',
      'safetensors',
      rawSafetensors('{"a":{"dtype":"F32","shape":[NaN],"data_offsets":[0,4]}}', data),
      /not JSON/,
    ],
    [
      'a tensor twice',
      'safetensors',
      rawSafetensors(`{"a":${json(entry(0, 8))},"a":${json(entry(8, 16))}}`, data),
      /names a twice/,
    ],
    [
      'tensors that overlap',
      'safetensors',
      rawSafetensors(json({ a: entry(0, 12), b: entry(8, 16) }), data),
      /b overlaps/,
    ],
    [
      'a hole',
      'safetensors',
      rawSafetensors(json({ a: entry(0, 4), b: entry(8, 16) }), data),
      /gap of 4 bytes/,
    ],
    ['bytes at its end', 'safetensors', rawSafetensors(json({ a: entry(0, 8) }), data), /8 bytes at its end/],
    [
      'a shape that overflows',
      'safetensors',
      rawSafetensors(json({ a: entry(0, 16, [2 ** 40, 2 ** 40]) }), data),
      /shape needs|impossibly large/,
    ],
    ['a negative offset', 'safetensors', rawSafetensors(json({ a: entry(-4, 12) }), data), /data_offsets/],
    [
      'a shape of other bytes',
      'safetensors',
      rawSafetensors(json({ a: entry(0, 16, [5]) }), data),
      /16 bytes, but its shape needs 20/,
    ],
    ['a tensor twice', 'gguf', twice, /names tensor a twice/],
    ['tensors that overlap', 'gguf', overlapping, /overlaps/],
    ['its weights cut off', 'gguf', gguf.subarray(0, gguf.length - 40), /outside the file/],
    [
      'a billion tensors',
      'gguf',
      Buffer.concat([gguf.subarray(0, 8), Buffer.from('00ca9a3b00000000', 'hex'), gguf.subarray(16)]),
      /claims 1000000000 tensors/,
    ],
  ])(
    '%s in a .%s end in a verdict with the reason, before and after hashing',
    async (_what, ext, bytes, reason) => {
      const repo = await newRepo();
      await commit(repo, [await large(repo, `m.${ext}`, bytes)]);
      const [before] = await diffOf(repo);
      expect(before?.invalid).toMatch(reason);
      await computeDigest(ctx, { repoId: repo.id, sha256: sha256Of(bytes) });
      expect(await hasDigest(ctx.db, sha256Of(bytes))).toBe(true);
      const [after] = await diffOf(repo);
      expect(after?.invalid).toMatch(reason);
      expect(after?.rows).toEqual([]);
    },
  );

  test('bytes that have not the hash they claim leave nothing behind', async () => {
    const repo = await newRepo();
    const claimed = randomBytes(32).toString('hex') as Sha256;
    await commit(repo, [
      await large(repo, 'm.safetensors', writeSafetensors([weight('w', 4, (i) => i)]), claimed),
    ]);
    await expect(computeDigest(ctx, { repoId: repo.id, sha256: claimed })).rejects.toThrow('internal');
    expect(await hasDigest(ctx.db, claimed)).toBe(false);
  });
});

test('who only claims a hash learns nothing of the tensors that another repo has under it', async () => {
  const owner = await newRepo();
  const secret = writeSafetensors([weight('secret.weight', 4, (i) => i * 7)]);
  await large(owner, 'm.safetensors', secret);
  await computeDigest(ctx, { repoId: owner.id, sha256: sha256Of(secret) });
  expect((await selectDigests(ctx.db, owner.id, [sha256Of(secret)])).size).toBe(1);
  const other = await newRepo();
  expect((await selectDigests(ctx.db, other.id, [sha256Of(secret)])).size).toBe(0);
  await ctx.db.query(`INSERT INTO xet_domain (namespace_id) VALUES ($1) ON CONFLICT DO NOTHING`, [
    other.namespaceId,
  ]);
  const { rows } = await ctx.db.query<{ id: number }>(
    `INSERT INTO xet_file (domain_id, hash, size_bytes, terms, sha256, sha256_state)
     SELECT id, $1, $2, '', $3, 'unverified' FROM xet_domain WHERE namespace_id = $4 RETURNING id`,
    [randomBytes(32), secret.length, Buffer.from(sha256Of(secret), 'hex'), other.namespaceId],
  );
  await ctx.db.query(
    `INSERT INTO repo_file (repo_id, sha256, size_bytes, xet_file_id, created_by) VALUES ($1, $2, $3, $4, 'test')`,
    [other.id, Buffer.from(sha256Of(secret), 'hex'), secret.length, rows[0]?.id],
  );
  expect((await selectDigests(ctx.db, other.id, [sha256Of(secret)])).size).toBe(0);
});

import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RepoStorage } from '#lib/repos/storage/read-storage.ts';
import { type BuiltTerm, buildXorb, contentOf, sha256Of } from '../xet/build.ts';
import { type CasHub, startCasHub, TOKENS } from '../xet/cas-hub.ts';

let hub: CasHub;
let nowMs = Date.now();
beforeAll(async () => {
  hub = await startCasHub({ clock: { now: () => nowMs } });
  await hub.createRepo('alice', 'model');
  await hub.createRepo('alice', 'secret', true);
  await hub.createRepo('bob', 'copy');
});
afterAll(() => hub?.close());

const json = (body: unknown): RequestInit => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json' },
});
const xorb = (...sizes: number[]) => buildXorb(sizes.map((bytes) => randomBytes(bytes)));
async function upload(repo: string, terms: BuiltTerm[]) {
  expect((await (await hub.cas(repo, TOKENS.alice)).upload(terms)).status).toBe(200);
  return { oid: sha256Of(contentOf(terms)), size: contentOf(terms).length };
}
async function putWhole(repo: string, bytes: Buffer) {
  const object = { oid: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
  const answer = await hub.ask(`/${repo}.git/info/lfs/objects/batch`, TOKENS.alice, {
    ...json({ operation: 'upload', objects: [object] }),
    headers: { 'content-type': 'application/vnd.git-lfs+json' },
  });
  const { objects } = (await answer.json()) as { objects: { actions: { upload: { href: string } } }[] };
  const put = await fetch(objects[0]?.actions.upload.href as string, {
    method: 'PUT',
    body: new Uint8Array(bytes),
  });
  expect(put.status).toBe(200);
  return object;
}
async function commit(
  branch: string,
  files: Record<string, { oid: string; size: number }>,
  repo = 'alice/model',
) {
  const lines = [
    { key: 'header', value: { summary: `on ${branch}` } },
    ...Object.entries(files).map(([path, file]) => ({
      key: 'lfsFile',
      value: { path, algo: 'sha256', ...file },
    })),
  ];
  const answer = await hub.ask(`/api/models/${repo}/commit/${branch}`, TOKENS.alice, {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  });
  expect(answer.status, await answer.clone().text()).toBe(200);
  return ((await answer.json()) as { commitOid: string }).commitOid;
}
async function storage(who: string | null, repo = 'alice/model'): Promise<RepoStorage> {
  const answer = await hub.ask(`/api/models/${repo}/storage`, who);
  expect(answer.status).toBe(200);
  return (await answer.json()) as RepoStorage;
}

describe('the figures of a repo', () => {
  // x holds the chunks a b c d; file 1 is abc, file 2 bcd: b and c are stored once. A record has 8 bytes of its own.
  const x = xorb(1000, 2000, 3000, 4000);
  const one = [{ xorb: x, start: 0, end: 3 }];
  const two = [{ xorb: x, start: 1, end: 4 }];
  const commits: string[] = [];

  beforeAll(async () => {
    const first = await upload('alice/model', one);
    commits.push(await commit('main', { 'one.bin': first }));
    await hub.ask('/api/models/alice/model/branch/dev', TOKENS.alice, json({}));
    const whole = await putWhole('alice/model', randomBytes(5000));
    commits.push(await commit('main', { 'two.bin': await upload('alice/model', two), 'whole.bin': whole }));
    const onDev = await upload('alice/model', [{ xorb: xorb(7000), start: 0, end: 1 }]);
    commits.push(await commit('dev', { 'sub/dev.bin': onDev }));
    await upload('alice/model', [{ xorb: xorb(500), start: 0, end: 1 }]); // never committed
    await upload('alice/secret', [{ xorb: x, start: 0, end: 1 }]); // shares chunk a
    const copied = await hub.ask('/api/models/alice/model/lfs-files/duplicate', TOKENS.bob, {
      ...json({
        target: { type: 'model', name: 'bob/copy' },
        files: [{ sha256: whole.oid, filename: 'w', xetHash: null }],
      }),
    });
    expect(await copied.json()).toMatchObject({ failed: [] });
  });

  test('are those counted by hand, and add up', async () => {
    const { report, room, sharedWith, hidden, isComputing } = await storage(TOKENS.alice);
    expect({ isComputing, room, isComplete: report?.isComplete }).toEqual({
      isComputing: false,
      room: null,
      isComplete: true,
    });
    expect(report).toMatchObject({
      fileCount: 5,
      logicalBytes: 6000 + 9000 + 5000 + 7000 + 500,
      storedBytes: 10_032 + 5000 + 7008 + 508,
      savedByDedup: 5000,
      savedByCompression: -6 * 8,
      sharedBytes: 1008 + 5000,
      ownBytes: 9024 + 7008 + 508,
      unreachable: { count: 1, logicalBytes: 500, addsBytes: 508 },
      moreFiles: { count: 0 },
      moreCommits: { count: 0 },
      whole: { count: 0 },
    });
    expect(
      report?.files.map(({ path, sizeBytes, storedBytes, addsBytes }) => [
        path,
        sizeBytes,
        storedBytes,
        addsBytes,
      ]),
    ).toEqual([
      ['sub/dev.bin', 7000, 7008, 7008],
      ['whole.bin', 5000, 5000, 5000],
      ['two.bin', 9000, 9024, 4008],
      ['one.bin', 6000, 6024, 1008],
      [null, 500, 508, 508],
    ]);
    expect(report?.refs).toEqual([
      { ref: 'refs/heads/main', fileCount: 3, logicalBytes: 20_000, addsBytes: 4008 + 5000 },
      { ref: 'refs/heads/dev', fileCount: 2, logicalBytes: 13_000, addsBytes: 7008 },
    ]);
    const adds = report?.commits.map((c) => [c.oid, c.fileCount, c.logicalBytes, c.addsBytes]);
    expect(new Map(adds?.map(([oid, ...rest]) => [oid, rest]))).toEqual(
      new Map([
        [commits[0], [1, 6000, 6024]],
        [commits[1], [2, 14_000, 4008 + 5000]],
        [commits[2], [1, 7000, 7008]],
      ]),
    );
    expect(sharedWith.map(({ namespace, name, bytes }) => [`${namespace}/${name}`, bytes])).toEqual([
      ['bob/copy', 5000],
      ['alice/secret', 1008],
    ]);
    expect(hidden).toEqual({ count: 0, bytes: 0 });
  });

  test('name other repos only to who may read them, and tell strangers nothing of hidden ones', async () => {
    for (const who of [TOKENS.bob, null]) {
      const seen = await storage(who);
      expect(seen.sharedWith.map(({ name }) => name)).toEqual(['copy']);
      expect(seen).toMatchObject({ hidden: { count: 0, bytes: 0 }, knowsSharing: false, mayConvert: false });
      expect(seen.report).toMatchObject({ sharedBytes: 0 });
      expect(seen.report?.files.some((file) => file.path === null)).toBe(false);
      expect(JSON.stringify(seen)).not.toContain('secret');
    }
    const his = await storage(TOKENS.bob, 'bob/copy');
    expect(his.sharedWith.map(({ name }) => name)).toEqual(['model']);
    expect((await hub.ask('/api/models/alice/secret/storage', TOKENS.bob)).status).toBe(404);
  });

  test('are kept until something changes, and tell when they were computed', async () => {
    nowMs += 60_000;
    const before = await storage(TOKENS.alice);
    nowMs += 60_000;
    expect((await storage(TOKENS.alice)).computedAt).toBe(before.computedAt);
    await upload('alice/model', [{ xorb: xorb(900), start: 0, end: 1 }]);
    const after = await storage(TOKENS.alice);
    expect(after.computedAt).not.toBe(before.computedAt);
    expect(after.report?.logicalBytes).toBe((before.report?.logicalBytes ?? 0) + 900);
    const usage = (await (await hub.ask('/api/storage/alice', TOKENS.alice)).json()) as {
      usedBytes: number;
      repos: { name: string; logicalBytes: number; storedBytes: number | null }[];
    };
    expect(usage.usedBytes).toBe(28_400 + 1000);
    expect(usage.repos).toMatchObject([
      { name: 'model', logicalBytes: 28_400, storedBytes: after.report?.storedBytes },
      { name: 'secret', logicalBytes: 1000 },
    ]);
  });

  test('tell what only the history holds from what a branch holds now', async () => {
    await hub.createRepo('alice', 'past');
    for (const size of [900, 800]) {
      const file = await upload('alice/past', [{ xorb: xorb(size), start: 0, end: 1 }]);
      await commit('main', { 'w.bin': file }, 'alice/past');
    }
    const { report } = await storage(TOKENS.alice, 'alice/past');
    expect(report?.files.map(({ path, sizeBytes, isInHead }) => [path, sizeBytes, isInHead])).toEqual([
      ['w.bin', 900, false],
      ['w.bin', 800, true],
    ]);
  });
});

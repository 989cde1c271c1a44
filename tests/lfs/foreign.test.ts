import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GitPerson } from '#tests/clients/git-person.ts';
import { type HostileHub, header, startHostileHub, TOKENS, type Who } from '#tests/security/hostile-hub.ts';
import type { Hub } from '#tests/support/hub.ts';
import { actionOf, type BatchAnswer, type LocalFile, randomFile } from './lfs-hub.ts';

let hub: HostileHub;
let folder: string;
let alice: GitPerson;
/** Bob holds it in a private repo; Alice has heard of its hash and size. */
const secret = randomFile(5000);
/** Nobody has it. */
const unknown = { ...randomFile(5000) };

beforeAll(async () => {
  hub = await startHostileHub({ LOG_LEVEL: 'silent' });
  folder = await mkdtemp(join(tmpdir(), 'larder-foreign-'));
  alice = new GitPerson({ url: hub.url } as Hub, folder, 'alice', TOKENS.alice);
  await hub.createRepo('own', { private: true, as: 'bob' });
  await hub.createRepo('one');
  const { href } = actionOf(await batch('bob/own', secret, 'upload', 'bob'), 'upload');
  const put = await fetch(href, { method: 'PUT', body: new Uint8Array(secret.bytes) });
  expect(put.status).toBe(200);
});
afterAll(async () => {
  await hub?.close();
  await rm(folder, { recursive: true, force: true });
});

async function batch(
  repo: string,
  file: LocalFile,
  operation: string,
  as: Who = 'alice',
): Promise<BatchAnswer> {
  const objects = [{ oid: file.oid, size: file.size }];
  const answer = await hub.ask(`/${repo}.git/info/lfs/objects/batch`, {
    as,
    body: { operation, objects, transfers: ['basic', 'multipart'] },
  });
  return JSON.parse(answer.text) as BatchAnswer;
}

/** An answer without what differs in any two: hashes, tokens, ids, times. */
const shapeOf = (text: string) =>
  text
    .replaceAll(/[0-9a-f]{64}/g, 'OID')
    .replaceAll(/"request_id":"[^"]*"/g, '')
    .replaceAll(/\/api\/lfs\/(\w+)\/[^"]+/g, (_, what: string) => `/api/lfs/${what}/TOKEN`);

describe('H60 a hash that only a stranger’s private repo holds is answered like one that nobody holds', () => {
  test('by batch, upload and download', async () => {
    for (const operation of ['upload', 'download']) {
      const [a, b] = [
        await batch('alice/one', secret, operation),
        await batch('alice/one', unknown, operation),
      ];
      expect(shapeOf(JSON.stringify(a))).toBe(shapeOf(JSON.stringify(b)));
      expect(a.objects[0]?.actions?.upload !== undefined).toBe(operation === 'upload');
    }
  });

  test('H63 by verify, before the bytes came: not here', async () => {
    const answers: [number, string][] = [];
    for (const file of [secret, unknown]) {
      const { href } = actionOf(await batch('alice/one', file, 'upload'), 'verify');
      const { status, text } = await hub.ask(new URL(href).pathname, {
        as: 'nobody',
        body: { oid: file.oid, size: file.size },
      });
      answers.push([status, shapeOf(text)]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.[0]).toBe(404);
  });

  test('H61 by a commit over HTTP, and nothing is linked; of the own, with a wrong size, neither', async () => {
    const own = randomFile(777);
    const { href } = actionOf(await batch('alice/one', own, 'upload'), 'upload');
    expect((await fetch(href, { method: 'PUT', body: new Uint8Array(own.bytes) })).status).toBe(200);
    const answers: [number, string][] = [];
    for (const { oid, size } of [secret, unknown]) {
      const { status, text } = await hub.commit('alice/one', [
        header,
        { key: 'lfsFile', value: { path: 'x.bin', algo: 'sha256', oid, size } },
      ]);
      answers.push([status, shapeOf(text)]);
    }
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.[0]).toBe(422);
    const value = { path: 'x.bin', algo: 'sha256', oid: own.oid, size: own.size - 1 };
    expect((await hub.commit('alice/one', [header, { key: 'lfsFile', value }])).status).toBe(422);
    expect((await hub.ask('/alice/one/resolve/main/x.bin')).status).toBe(404);
  });

  test('H61 by git push of a pointer, and of the own with a wrong size: no ref moves, nothing can be read', async () => {
    const own = randomFile(888);
    const { href } = actionOf(await batch('alice/one', own, 'upload'), 'upload');
    expect((await fetch(href, { method: 'PUT', body: new Uint8Array(own.bytes) })).status).toBe(200);
    await alice.git('', 'clone', '-q', alice.remote('alice/one'), 'one');
    const before = await alice.git('one', 'ls-remote', 'origin');
    const said: string[] = [];
    for (const { oid, size } of [secret, unknown, { oid: own.oid, size: own.size + 1 }]) {
      await writeFile(
        join(alice.at('one'), 'x.bin'),
        `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${size}\n`,
      );
      const blob = await alice.git('one', 'hash-object', '-w', '--no-filters', 'x.bin');
      await alice.git('one', 'update-index', '--add', '--cacheinfo', `100644,${blob},x.bin`);
      await alice.git('one', 'commit', '-q', '-m', 'pointer');
      const output = await alice.refused('one', 'push', '--no-verify', 'origin', 'HEAD:main');
      expect(output).toContain(`x.bin (sha256 ${oid}, ${size} bytes)`);
      said.push(shapeOf(output));
      await alice.git('one', 'reset', '-q', '--soft', 'HEAD~1');
    }
    expect(said[0]).toBe(said[1]);
    expect(await alice.git('one', 'ls-remote', 'origin')).toBe(before);
    expect((await hub.ask(`/api/models/alice/one/lfs-files`)).text).not.toContain(secret.oid);
    expect((await batch('alice/one', secret, 'download')).objects[0]?.error?.code).toBe(404);
  });
});

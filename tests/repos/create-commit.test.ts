import { randomBytes } from 'node:crypto';
import type { PoolClient } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createDb } from '#lib/base/db.ts';
import type { Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteRepo } from '#lib/repos/delete-repo.ts';
import { formatPointer } from '#lib/repos/git/lfs-pointer.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import { pathsInfo } from '#lib/repos/read-tree.ts';
import { resolveFile } from '#lib/repos/resolve-file.ts';
import { resolveRevision } from '#lib/repos/resolve-revision.ts';
import type { CommitHeader, CommitOperation, Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { file, giveFile, header, makeUser } from './people.ts';
import { countTraces } from './traces.ts';

let t: TestApp;
let ctx: Ctx;
let repo: Repo;
let serial = 0;
beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
});
afterAll(() => t.close());
beforeEach(async () => {
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: `repo${serial++}` });
});

const commit = (operations: CommitOperation[], more: Partial<CommitHeader> = {}, revision = 'main') =>
  createCommit(ctx, repo, { revision, header: { ...header('change'), ...more }, operations });
const head = async () => (await resolveRevision(t.app.db, repo, 'main')).commitOid;
const textAt = async (path: string) => {
  const { entry } = await resolveFile(ctx, repo, { revision: 'main', path });
  return (await readBlob(t.app.db, repo.id, entry.oid)).toString();
};
const has = async (path: string) => (await pathsInfo(ctx, repo, await head(), [path])).length === 1;

/** The commit is refused with this code and message, and nothing in the database is different. */
async function refused(work: () => Promise<unknown>, code: string, message: RegExp): Promise<void> {
  const before = await countTraces(t.app.db);
  await expect(work()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
  expect(await countTraces(t.app.db)).toEqual(before);
}

describe('a commit', () => {
  it('writes files, moves the branch, and leaves one reflog row, one audit event and one job', async () => {
    const before = await head();
    const result = await commit([file('a/b.txt', 'hi')], { description: 'why' });
    expect(result).toMatchObject({ changed: true, ref: 'refs/heads/main', commitOid: await head() });
    expect(await textAt('a/b.txt')).toBe('hi');
    const log = await t.app.db.query(
      `SELECT encode(old_oid, 'hex') AS old, encode(new_oid, 'hex') AS new, reason, actor_id FROM ref_update
       WHERE repo_id = $1 ORDER BY id`,
      [repo.id],
    );
    expect(log.rows).toMatchObject([
      { old: null, new: before, reason: 'create' },
      { old: before, new: result.commitOid, reason: 'commit' },
    ]);
    const events = await t.app.db.query(
      'SELECT action, details FROM audit_event WHERE subject = $1 ORDER BY id',
      [`model:alice/${repo.name}`],
    );
    expect(events.rows.map((row) => row.action)).toEqual(['repo.create', 'repo.commit']);
    const commits = await t.app.db.query(
      `SELECT title, message, author_name, author_email FROM commit_index WHERE repo_id = $1 AND oid = decode($2, 'hex')`,
      [repo.id, result.commitOid],
    );
    expect(commits.rows).toEqual([
      {
        title: 'change',
        message: 'why',
        author_name: 'alice',
        author_email: 'alice@users.noreply.localhost',
      },
    ]);
  });

  it('whose tree is the same answers the current head and writes nothing', async () => {
    await commit([file('a', '1')]);
    const before = await countTraces(t.app.db);
    expect(await commit([file('a', '1')])).toMatchObject({ changed: false, commitOid: await head() });
    expect(await countTraces(t.app.db)).toEqual(before);
  });

  it('sent again after its answer was lost succeeds without a second commit, deletions and parent included', async () => {
    await commit([file('old', '1')]);
    const parentCommit = await head();
    const operations: CommitOperation[] = [{ kind: 'deleteFile', path: 'old' }, file('new', '2')];
    const first = await commit(operations, { parentCommit });
    const before = await countTraces(t.app.db);
    expect(await commit(operations, { parentCommit })).toMatchObject({
      changed: false,
      commitOid: first.commitOid,
    });
    expect(await commit(operations)).toMatchObject({ changed: false, commitOid: first.commitOid });
    expect(await countTraces(t.app.db)).toEqual(before);
    await refused(() => commit(operations, { parentCommit, summary: 'other' }), 'ref_moved', /refresh/);
  });

  it('applies operations in their order: delete and add, add twice, add and delete', async () => {
    await commit([file('a', '1'), file('dir/x', '1'), file('dir/y', '1')]);
    await commit([
      { kind: 'deleteFolder', path: 'dir/' },
      file('dir/z', 'new'),
      { kind: 'deleteFile', path: 'a' },
      file('a', '2'),
      file('twice', '1'),
      file('twice', '2'),
      file('gone', '1'),
      { kind: 'deleteFile', path: 'gone' },
    ]);
    expect([await textAt('dir/z'), await textAt('a'), await textAt('twice')]).toEqual(['new', '2', '2']);
    expect([await has('dir/x'), await has('gone')]).toEqual([false, false]);
  });

  it('may delete a folder by deleteFile or deleteEntry too, and a file may take the place of a deleted folder', async () => {
    await commit([file('p/x', '1'), file('q/x', '1')]);
    await commit([
      { kind: 'deleteFile', path: 'p' },
      { kind: 'deleteEntry', path: 'q' },
      file('q', 'now a file'),
    ]);
    expect([await has('p'), await textAt('q')]).toEqual([false, 'now a file']);
  });

  it('of more regular files than are kept in memory is whole, and a refusal at its end shows none of them', async () => {
    const operations = async function* () {
      for (let i = 0; i < 12; i++) {
        // half of it noise, so that deflated blobs exceed what is kept in memory
        const content = Buffer.concat([randomBytes(4 * 1024 * 1024), Buffer.alloc(5 * 1024 * 1024, i)]);
        yield { kind: 'file' as const, path: `f${i}.txt`, content };
      }
    };
    const before = await head();
    const wrong = async function* () {
      yield* operations();
      yield { kind: 'deleteFile' as const, path: 'no' };
    };
    await expect(
      createCommit(ctx, repo, { revision: 'main', header: header('big'), operations: wrong() }),
    ).rejects.toMatchObject({ code: 'entry_not_found' });
    expect(await head()).toBe(before);
    const result = await createCommit(ctx, repo, {
      revision: 'main',
      header: header('big'),
      operations: operations(),
    });
    expect(await pathsInfo(ctx, repo, result.commitOid, ['f0.txt', 'f11.txt'])).toMatchObject([
      { sizeBytes: 9437184 },
      { sizeBytes: 9437184 },
    ]);
  });
});

describe('a large file', () => {
  it('is committed as its canonical pointer, is listed with its real size, and its path is tracked from then on', async () => {
    const sha256 = await giveFile(t.app.db, repo.id, 123_456);
    const { commitOid } = await commit([
      { kind: 'lfsFile', path: 'sub dir/m[1].odd', sha256, sizeBytes: null },
    ]);
    const [entry] = await pathsInfo(ctx, repo, commitOid, ['sub dir/m[1].odd']);
    expect(entry).toMatchObject({
      sizeBytes: 123_456,
      lfs: { sha256, sizeBytes: 123_456, pointerSizeBytes: 131 },
    });
    expect(await textAt('sub dir/m[1].odd')).toBe(
      `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256}\nsize 123456\n`,
    );
    expect((await textAt('.gitattributes')).trim().split('\n').at(-1)).toBe(
      'sub[[:space:]]dir/m\\[1].odd filter=lfs diff=lfs merge=lfs -text',
    );
    const attributes = await textAt('.gitattributes');
    await commit([{ kind: 'lfsFile', path: 'x.bin', sha256, sizeBytes: 123_456 }]);
    expect(await textAt('.gitattributes')).toBe(attributes); // *.bin is tracked from the start
  });

  it('is tracked by the .gitattributes of the same commit, also one in a subfolder', async () => {
    const sha256 = await giveFile(t.app.db, repo.id, 5);
    await commit([
      { kind: 'lfsFile', path: 'in/a.odd', sha256, sizeBytes: 5 },
      file('in/.gitattributes', '*.odd filter=lfs\n'),
      file('.gitattributes', '# nothing\n'),
      { kind: 'lfsFile', path: 'b.odd', sha256, sizeBytes: 5 },
    ]);
    expect(await textAt('.gitattributes')).toBe('# nothing\nb.odd filter=lfs diff=lfs merge=lfs -text\n');
  });

  it('that this repo does not hold is refused by path and oid, as lfsFile and as pointer text, whoever else holds it', async () => {
    const other = await createRepo(ctx, { type: 'model', namespace: 'alice', name: `other${serial}` });
    const sha256 = await giveFile(t.app.db, other.id, 5);
    const named = new RegExp(`"m\\.bin".*${sha256}`);
    await refused(
      () => commit([{ kind: 'lfsFile', path: 'm.bin', sha256, sizeBytes: 5 }]),
      'invalid_object',
      named,
    );
    const pointer = formatPointer({ sha256, sizeBytes: 5 });
    await refused(() => commit([{ kind: 'file', path: 'm.bin', content: pointer }]), 'invalid_object', named);
  });

  it('of another size than was uploaded is refused', async () => {
    const sha256 = await giveFile(t.app.db, repo.id, 5);
    await refused(
      () => commit([file('good', '1'), { kind: 'lfsFile', path: 'm.bin', sha256, sizeBytes: 6 }]),
      'invalid_object',
      /given as 6, but the uploaded file has 5/,
    );
  });

  it('given as pointer text is taken as the file it points to', async () => {
    const sha256 = await giveFile(t.app.db, repo.id, 77);
    const { commitOid } = await commit([
      { kind: 'file', path: 'm.txt', content: formatPointer({ sha256, sizeBytes: 77 }) },
    ]);
    expect((await pathsInfo(ctx, repo, commitOid, ['m.txt']))[0]).toMatchObject({
      sizeBytes: 77,
      lfs: { sha256 },
    });
    expect(await textAt('.gitattributes')).toMatch(/^m\.txt filter=lfs/m);
  });
});

describe('refused without a trace', () => {
  const bad: [string, RegExp][] = [
    ['..\\ddd', /relative to the root/],
    ['.\\ddd', /relative to the root/],
    ['../x', /"\.\."/],
    ['a/../../x', /"\.\."/],
    ['/x', /empty segment/],
    ['a//b', /empty segment/],
    ['a/', /empty segment/],
    ['./a', /"\."/],
    ['a/.', /"\."/],
    ['', /empty/],
    ['a\0b', /valid text/],
    ['a\ud800b', /valid text/],
    ['.git/config', /\.git/],
    ['a/.GIT/config', /\.git/],
    ['.git /x', /\.git/],
    ['.git./x', /\.git/],
    ['git~1', /\.git/],
    ['.g\u200cit', /\.git/],
    ['.git::$INDEX_ALLOCATION', /\.git/],
    ['a\\.git\\config', /\.git/],
    ['x'.repeat(5000), /1024 bytes/],
    ['x'.repeat(300), /255 bytes/],
    [Array(300).fill('a').join('/'), /100 segments/],
  ];
  it.each(bad)('path %j', async (path, why) => {
    await refused(() => commit([file('fine', '1'), file(path, '1')]), 'invalid_path', why);
    const sha256 = '0'.repeat(64) as Sha256;
    await refused(() => commit([{ kind: 'lfsFile', path, sha256, sizeBytes: 1 }]), 'invalid_path', why);
  });

  it.each(['folder/..\\..\\..\\file', 'a:b', 'what?', '%2e%2e', '…', 'new\nline', '.gitignore', 'a.git/b'])(
    'but path %j is accepted and found again',
    async (path) => {
      await commit([file(path, 'here')]);
      expect(await textAt(path)).toBe('here');
    },
  );

  it('a file where a folder is, and a folder where a file is', async () => {
    await commit([file('dir/a', '1'), file('plain', '1')]);
    await refused(() => commit([file('dir', '1')]), 'invalid_path', /"dir".*folder/);
    await refused(() => commit([file('plain/x', '1')]), 'invalid_path', /"plain" is a file/);
    await refused(() => commit([file('n', '1'), file('n/x', '1')]), 'invalid_path', /"n" is a file/);
  });

  it('deleting what is not there', async () => {
    const missing = /A file with this name doesn't exist/;
    await refused(
      () => commit([file('x', '1'), { kind: 'deleteFile', path: 'no' }]),
      'entry_not_found',
      missing,
    );
    await refused(() => commit([{ kind: 'deleteEntry', path: 'no/no' }]), 'entry_not_found', missing);
    await commit([file('plain', '1')]);
    await refused(() => commit([{ kind: 'deleteFolder', path: 'plain' }]), 'entry_not_found', /folder/);
  });

  it('a regular file of more than 10 MiB, with its name and the remedy', async () => {
    const content = Buffer.alloc(10 * 1024 * 1024 + 1, 65);
    await refused(
      () => commit([{ kind: 'file', path: 'big.txt', content }]),
      'invalid_input',
      /"big\.txt".*10 MiB.*(Xet|LFS)/,
    );
  });

  it('no operations, no message, too many entries in a folder', async () => {
    await refused(
      () => commit([]),
      'invalid_input',
      /Add a line with the key `lfsFile`, `file` or `deletedFile`/,
    );
    await refused(() => commit([file('a', '1')], { summary: ' ' }), 'invalid_input', /message/);
    const many = Array.from({ length: 10_001 }, (_, i) => file(`d/${i}`, ''));
    await refused(() => commit(many), 'invalid_input', /10001 entries; at most 10000/);
  });

  it('more than 25,000 operations', async () => {
    const many = Array.from({ length: 25_001 }, (_, i) => ({ kind: 'deleteFile' as const, path: `f${i}` }));
    await refused(() => commit(many), 'invalid_input', /at most 25000 operations/);
  });

  it('broken metadata in README.md', async () => {
    await refused(
      () => commit([file('README.md', '---\nlicense: [\n---\n')]),
      'invalid_input',
      /Invalid metadata in README\.md/,
    );
  });

  it('a parent that is not the head, in the words of the Hub', async () => {
    const parentCommit = await head();
    await commit([file('a', '1')], { parentCommit: parentCommit.slice(0, 10) });
    await refused(
      () => commit([file('b', '1')], { parentCommit }),
      'ref_moved',
      /^The branch was updated since you opened this page\. Please refresh and try again\.$/,
    );
  });

  it('a revision that is no branch: missing, an oid, a tag, a pull request', async () => {
    await t.app.db.query(
      `INSERT INTO ref (repo_id, name, oid) SELECT repo_id, 'refs/tags/v1', oid FROM ref WHERE repo_id = $1`,
      [repo.id],
    );
    for (const revision of [
      'nope',
      await head(),
      'v1',
      'refs/tags/v1',
      'refs/pr/1',
      'refs/heads/',
      'a\0b',
      '../x',
    ])
      await refused(() => commit([file('a', '1')], {}, revision), 'revision_not_found', /Invalid rev id/);
  });

  it('a failure in the middle of the operations stream', async () => {
    const broken = async function* () {
      yield file('a', '1');
      throw new Error('the client went away');
    };
    const before = await countTraces(t.app.db);
    await expect(
      createCommit(ctx, repo, { revision: 'main', header: header('x'), operations: broken() }),
    ).rejects.toThrow('the client went away');
    expect(await countTraces(t.app.db)).toEqual(before);
  });

  it('a repo that was deleted while the operations arrived', async () => {
    const slow = async function* () {
      yield file('a', '1');
      await deleteRepo(ctx, repo);
    };
    await expect(
      createCommit(ctx, repo, { revision: 'main', header: header('x'), operations: slow() }),
    ).rejects.toMatchObject({ code: 'repo_not_found' });
    const { rows } = await t.app.db.query('SELECT 1 FROM ref_update WHERE repo_id = $1', [repo.id]);
    expect(rows).toHaveLength(1);
  });

  it('nothing, when only the answer to COMMIT is lost: the branch itself tells that the commit is there', async () => {
    const db = createDb({ url: t.databaseUrl, maxConnections: 2, applicationName: 'larder test' });
    const connect = db.connect.bind(db) as () => Promise<PoolClient>;
    let cuts = 0;
    // the connection dies right after the server has done its COMMIT
    const cut = async () => {
      const client = await connect();
      const query = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>;
      const broken = async (...args: unknown[]) => {
        const result = await query(...args);
        if (args[0] === 'COMMIT' && ++cuts > 0) throw new Error('Connection terminated unexpectedly');
        return result;
      };
      return Object.assign(Object.create(client), { query: broken });
    };
    const lossy = Object.assign(Object.create(db), { connect: cut, query: db.query.bind(db) });
    const request = { revision: 'main', header: header('x'), operations: [file('a', '1')] };
    const result = await createCommit({ ...ctx, db: lossy }, repo, request);
    expect([result.changed, result.commitOid, cuts]).toEqual([true, await head(), 1]);
    expect(await textAt('a')).toBe('1');
    await db.end();
  });

  it('a tree of the base that cannot be read: an internal error, never an empty tree', async () => {
    await commit([file('dir/a', '1')]);
    const [folder] = await pathsInfo(ctx, repo, await head(), ['dir']);
    await t.app.db.query(`DELETE FROM git_object WHERE repo_id = $1 AND oid = decode($2, 'hex')`, [
      repo.id,
      folder?.oid,
    ]);
    // a process that remembers nothing of the repo
    const db = createDb({ url: t.databaseUrl, maxConnections: 2, applicationName: 'larder test' });
    const before = await head();
    const request = { revision: 'main', header: header('x'), operations: [file('dir/b', '1')] };
    await expect(createCommit({ ...ctx, db }, repo, request)).rejects.toThrow(/missing/);
    expect(await head()).toBe(before);
    await db.end();
  });
});

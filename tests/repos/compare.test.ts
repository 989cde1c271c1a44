import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { compareRevisions } from '#lib/repos/diff/compare-revisions.ts';
import { diffFile } from '#lib/repos/diff/diff-file.ts';
import { parseRange } from '#lib/repos/diff/parse-range.ts';
import { resolveRange } from '#lib/repos/diff/resolve-range.ts';
import { unifiedDiff } from '#lib/repos/diff/unified-diff.ts';
import type { Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { Git } from './git-binary.ts';
import { importGit } from './import-git.ts';
import { makeUser } from './people.ts';

let t: TestApp;
let ctx: Ctx;
let repo: Repo;
const git = new Git();
beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
  repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'r' });
});
afterAll(async () => {
  git.remove();
  await t.close();
});

type Files = Record<string, { mode: string; text: string }>;

const blobs = new Map<string, string>();
function blobOf(text: string): string {
  const known =
    blobs.get(text) ?? git.run(['hash-object', '-w', '--stdin'], Buffer.from(text, 'latin1')).trim();
  blobs.set(text, known);
  return known;
}

function treeOf(files: Files): string {
  git.run(['read-tree', '--empty']);
  const rows = Object.entries(files).map(([path, { mode, text }]) =>
    mode === '160000' ? `160000 ${'c'.repeat(40)}\t${path}\0` : `${mode} ${blobOf(text)}\t${path}\0`,
  );
  git.run(['update-index', '--add', '-z', '--index-info'], rows.join(''));
  return git.run(['write-tree']).trim();
}

let made = 0;
function commitOf(files: Files, parents: string[] = []): Oid {
  const args = parents.flatMap((parent) => ['-p', parent]);
  const tree = treeOf(files);
  const who = ['-c', 'user.name=A', '-c', 'user.email=a@a'];
  return git.run([...who, 'commit-tree', tree, '-m', `c${made++}`, ...args]).trim() as Oid;
}

const plain = (text: string) => ({ mode: '100644', text });
const diffOf = async (range: string) => {
  const parts: Buffer[] = [];
  for await (const part of unifiedDiff(ctx, await resolveRange(ctx, repo, parseRange(range))))
    parts.push(part);
  return Buffer.concat(parts);
};

const content = fc.oneof(
  fc.constantFrom('', 'a', 'a\n', 'one\ntwo\nthree\n', 'caf\xe9\r\n', '\xe4\xb8\xad\n'),
  fc.array(fc.constantFrom('x', 'y', 'z', ''), { maxLength: 25 }).map((lines) => lines.join('\n')),
);
const oneFile = fc.record({
  mode: fc.constantFrom('100644', '100644', '100755', '120000', '160000'),
  text: content,
});
const name = fc.constantFrom('a', 'b c', 'dir/a', 'dir/deep/x', 'é/中', 'q"uo\\te', 'tab\there', 'z');
const files = fc.dictionary(name, oneFile, { maxKeys: 6 });

describe('the unified diff', () => {
  it('makes the new tree of the old one in the hands of git apply, whatever the two hold', async () => {
    const pairs = fc.sample(fc.tuple(files, files), { numRuns: 30, seed: 7 });
    const commits = pairs.map(([before, after]) => [commitOf(before), commitOf(after)] as const);
    await importGit(t.app.db, repo.id, git);
    for (const [a, b] of commits) {
      git.run(['read-tree', a]);
      const diff = await diffOf(`${a}..${b}`);
      if (diff.length > 0) git.run(['apply', '--cached', '--whitespace=nowarn'], diff);
      expect(git.run(['write-tree']).trim(), diff.toString()).toBe(
        git.run(['rev-parse', `${b}^{tree}`]).trim(),
      );
    }
  });

  it('has the headers of git diff, to the letter', async () => {
    const lines = Array.from({ length: 30 }, (_, i) => `line ${i}\n`).join('');
    const pointer = (letter: string, size: number) =>
      plain(`version https://git-lfs.github.com/spec/v1\noid sha256:${letter.repeat(64)}\nsize ${size}\n`);
    const before: Files = {
      'moved.txt': plain(lines),
      'edited.txt': plain(`${lines}${lines}end\n`),
      'run me.sh': plain('#!/bin/sh\n'),
      gone: plain('gone\n'),
      'pic.bin': plain('\0a'),
      'model.safetensors': pointer('a', 1_000),
      'ü.txt': plain('x\n'),
    };
    const after: Files = {
      'sub/moved.txt': plain(lines),
      'sub/edited2.txt': plain(`${lines}${lines}END\n`),
      'run me.sh': { mode: '100755', text: '#!/bin/sh\necho\n' },
      'new file': plain('new\n'),
      'pic.bin': plain('\0b'),
      'model.safetensors': pointer('b', 2_000),
      'ü.txt': plain('y\n'),
      empty: plain(''),
    };
    const a = commitOf(before);
    const b = commitOf(after, [a]);
    git.run(['update-ref', 'refs/heads/headers', b]);
    await importGit(t.app.db, repo.id, git);
    const said = git.run(['diff', '--full-index', '-M', '--no-ext-diff', a, b]);
    expect((await diffOf(`${a}..${b}`)).toString()).toBe(
      said.replace(/^similarity index 9\d%$/m, 'similarity index 99%').replaceAll(/^(@@ .* @@).*$/gm, '$1'),
    );
    const { files: changed } = await compareRevisions(ctx, repo, parseRange(`${a}..${b}`));
    expect(
      changed.map(({ kind, path, oldPath, additions, deletions }) => [
        kind,
        path,
        oldPath,
        additions,
        deletions,
      ]),
    ).toEqual([
      ['added', 'empty', null, 0, 0],
      ['removed', 'gone', null, 0, 1],
      ['modified', 'model.safetensors', null, null, null],
      ['added', 'new file', null, 1, 0],
      ['modified', 'pic.bin', null, null, null],
      ['modified', 'run me.sh', null, 1, 0],
      ['renamed', 'sub/edited2.txt', 'edited.txt', 1, 1],
      ['renamed', 'sub/moved.txt', 'moved.txt', null, null],
      ['modified', 'ü.txt', null, 1, 1],
    ]);
    expect(changed[2]).toMatchObject({ before: { sizeBytes: 1_000 }, after: { sizeBytes: 2_000 } });
  });
});

describe('a comparison', () => {
  let root: Oid;
  let main: Oid;
  let side: Oid;
  beforeAll(async () => {
    root = commitOf({ a: plain('1\n') });
    main = commitOf({ a: plain('1\n'), m: plain('m\n') }, [root]);
    const before = commitOf({ a: plain('2\n') }, [root]);
    side = commitOf({ a: plain('3\n') }, [before]);
    git.run(['update-ref', 'refs/heads/main', main]);
    git.run(['update-ref', 'refs/heads/feature/side', side]);
    git.run(['update-ref', 'refs/pr/1', side]);
    git.run(['update-ref', 'refs/tags/v1', root]);
    await importGit(t.app.db, repo.id, git);
  });

  const brief = async (range: string) => {
    const {
      files: changed,
      ahead,
      behind,
      mergeBase,
      commits,
    } = await compareRevisions(ctx, repo, parseRange(range));
    return {
      changed: changed.map((file) => `${file.kind} ${file.path}`),
      ahead,
      behind,
      mergeBase,
      commits: commits.length,
    };
  };

  it('with three dots shows what head did since it left base, with two what differs now', async () => {
    const apart = { ahead: 2, behind: 1, mergeBase: root, commits: 2 };
    expect(await brief('main...feature/side')).toEqual({ changed: ['modified a'], ...apart });
    expect(await brief('main..feature/side')).toEqual({ changed: ['modified a', 'removed m'], ...apart });
  });

  it('takes branches, tags, ids, pull requests, first parents, and the default branch where nothing is said', async () => {
    for (const range of [
      'main...refs/pr/1',
      '...feature/side',
      `${main}...${side.slice(0, 9)}`,
      'HEAD...refs/heads/feature/side',
    ])
      expect((await brief(range)).changed).toEqual(['modified a']);
    expect((await brief('v1..')).changed).toEqual(['added m']);
    expect((await brief('main^..main')).changed).toEqual(['added m']);
    expect((await brief('main~1^..main^')).changed).toEqual(['added a']);
    expect(await brief('v1^..v1')).toEqual({
      changed: ['added a'],
      ahead: 1,
      behind: 0,
      mergeBase: null,
      commits: 1,
    });
    expect((await brief('main..main')).changed).toEqual([]);
    await expect(brief('v1^^..main')).rejects.toMatchObject({ code: 'revision_not_found' });
    await expect(brief('nothing..main')).rejects.toMatchObject({ code: 'revision_not_found' });
  });

  it('by its pinned ids is the same comparison when the branches have moved on', async () => {
    const found = await compareRevisions(ctx, repo, parseRange('main...feature/side'));
    const again = await compareRevisions(ctx, repo, parseRange(found.pinned));
    expect(again.files).toEqual(found.files);
    const nothing = await compareRevisions(ctx, repo, parseRange('v1^..v1'));
    expect((await compareRevisions(ctx, repo, parseRange(nothing.pinned))).files).toEqual(nothing.files);
  });

  it('reads only the folder that differs, of 300 folders with 6,000 files', async () => {
    const folder = (i: number, extra = '') =>
      Object.fromEntries(
        Array.from({ length: 20 }, (_, f) => [`d${i}/f${f}`, plain(f === 0 ? `${extra}\n` : 'x\n')]),
      );
    const all = Object.assign({}, ...Array.from({ length: 300 }, (_, i) => folder(i)));
    const a = commitOf(all);
    const b = commitOf({ ...all, ...folder(7, 'changed') }, [a]);
    git.run(['update-ref', 'refs/heads/large', b]);
    await importGit(t.app.db, repo.id, git);
    const reads: number[] = [];
    const { db } = t.app;
    const counting = new Proxy(db, {
      get: (target, key) =>
        key === 'query'
          ? (query: { name?: string; values?: unknown[][] }) => {
              if (query.name === 'select-objects') reads.push(query.values?.[1]?.length ?? 0);
              return target.query(query as never);
            }
          : Reflect.get(target, key, target),
    });
    const found = await compareRevisions({ ...ctx, db: counting }, repo, parseRange(`${a}..${b}`));
    expect(found.files.map((file) => file.path)).toEqual(['d7/f0']);
    expect(reads).toEqual([2, 2, 2]); // two roots, two folders, two blobs
  });
});

describe('the diff of one file', () => {
  it('has hunks for text in any encoding, and says what is no text', async () => {
    const utf16 = (text: string) => plain(Buffer.from(`\ufeff${text}`, 'utf16le').toString('latin1'));
    const a = commitOf({
      'utf16.csv': utf16('a\nb\n'),
      latin: plain('caf\xe9\n'),
      bin: plain('\0'),
      big: plain('x\n'.repeat(600_000)),
      link: { mode: '120000', text: 'a' },
    });
    const b = commitOf({
      'utf16.csv': utf16('a\nc\n'),
      latin: plain('caf\xe9s\n'),
      bin: plain('\0\0'),
      big: plain('y\n'.repeat(600_000)),
      link: { mode: '120000', text: 'b' },
    });
    git.run(['update-ref', 'refs/heads/encodings', b]);
    git.run(['update-ref', 'refs/heads/encodings-before', a]);
    await importGit(t.app.db, repo.id, git);
    const viewOf = async (path: string) =>
      (await diffFile(ctx, repo, parseRange(`${a}..${b}`), { path })).view;
    const textOf = async (path: string) => {
      const view = await viewOf(path);
      return view.kind === 'text'
        ? view.hunks.flatMap((hunk) => hunk.lines.map((line) => `${line.kind} ${line.text}`))
        : view;
    };
    expect(await textOf('utf16.csv')).toEqual(
      ['context \ufeffa', 'removed b', 'added c'].map((line) => line.replace('\ufeff', '')),
    );
    expect(await textOf('latin')).toEqual(['removed café', 'added cafés']);
    expect(await textOf('link')).toEqual(['removed a', 'added b']);
    expect(await viewOf('bin')).toEqual({ kind: 'binary' });
    expect(await viewOf('big')).toEqual({ kind: 'tooLarge', limitBytes: 1_048_576 });
    await expect(viewOf('none')).rejects.toMatchObject({ code: 'entry_not_found' });
  });

  it('answers for two hostile files of a megabyte while the process goes on working', async () => {
    const noise = (seed: number) =>
      plain(
        Array.from({ length: 140_000 }, (_, i) => `${((i * 7919 + seed) % 99_991).toString(36)}\n`)
          .join('')
          .slice(0, 1_000_000),
      );
    const a = commitOf({ f: noise(1) });
    const b = commitOf({ f: noise(50_000) });
    git.run(['update-ref', 'refs/heads/noise', b]);
    git.run(['update-ref', 'refs/heads/noise-before', a]);
    await importGit(t.app.db, repo.id, git);
    let late = 0;
    let last = performance.now();
    const timer = setInterval(() => {
      late = Math.max(late, performance.now() - last);
      last = performance.now();
    }, 10);
    const { view } = await diffFile(ctx, repo, parseRange(`${a}..${b}`), { path: 'f' });
    clearInterval(timer);
    expect(view).toMatchObject({ kind: 'text', isCut: true });
    expect(late).toBeLessThan(1_500);
  });
});

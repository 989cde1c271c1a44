import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { createBranch } from '#lib/repos/create-branch.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { mergeAttributes, mergeText } from '#lib/repos/pulls/merge-text.ts';
import { planMerge } from '#lib/repos/pulls/plan-merge.ts';
import type { CommitOperation, Repo } from '#lib/repos/types.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { exportRepo } from './git-binary.ts';
import { file, header, makeUser } from './people.ts';

let t: TestApp;
let ctx: Ctx;
beforeAll(async () => {
  t = await createTestApp();
  ctx = t.ctxFor(await makeUser(t.app.db, 'alice'));
});
afterAll(() => t.close());

const PATHS = ['a', 'b', 'c', 'd', 'd/a', 'd/b', 'd/e/f', 'g/h', 'g/i'];
type Files = ReadonlyMap<string, string>;

/** What is in a file: twelve lines, some of them changed. */
interface Content {
  readonly name: string;
  readonly edits: readonly (readonly [number, string])[];
}

/** Lines that name their path: two files never resemble each other, so git finds no renames. */
function contentOf(path: string, { name, edits }: Content): string {
  const lines = Array.from({ length: 12 }, (_, i) => `${path} ${name} line ${i}`);
  for (const [at, mark] of edits) lines[at] += mark;
  return `${lines.join('\n')}\n`;
}

const name = fc.constantFrom('x', 'y');
const changed = fc.tuple(fc.nat(11), fc.constantFrom('!', '?'));
const content = fc.record({ name, edits: fc.array(changed, { maxLength: 3 }) });
const oneContent = fc.record({ name, edits: fc.constant([]) });

type Edit = readonly [path: string, content: Content | null];
const edits = fc.array(fc.tuple(fc.constantFrom(...PATHS), fc.option(content, { freq: 4 })), {
  maxLength: 4,
});
const base = fc.array(fc.tuple(fc.constantFrom(...PATHS), oneContent), { minLength: 1, maxLength: 6 });

/** Files after edits: what is put at a path takes the place of a file or folder that stands in its way. */
function applied(files: Files, changes: readonly Edit[]): Files {
  const result = new Map(files);
  for (const [path, what] of changes) {
    const text = what && contentOf(path, what);
    for (const other of result.keys())
      if (text !== null && (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)))
        result.delete(other);
    if (text === null) result.delete(path);
    else result.set(path, text);
  }
  return result;
}

function operations(from: Files, to: Files): CommitOperation[] {
  const deletes = [...from.keys()].filter((path) => !to.has(path));
  const puts = [...to].filter(([path, text]) => from.get(path) !== text);
  return [
    ...deletes.map((path) => ({ kind: 'deleteFile' as const, path })),
    ...puts.map(([path, text]) => file(path, text)),
  ];
}

async function commit(repo: Repo, branch: string, from: Files, to: Files): Promise<Oid> {
  const list = operations(from, to);
  const request = {
    revision: branch,
    header: header('c'),
    operations: list.length ? list : [file('same', 's')],
  };
  return (await createCommit(ctx, repo, request)).commitOid;
}

describe('merging trees by three ways', () => {
  it('gives the tree of `git merge-tree`, and conflicts exactly where it has some', async () => {
    const repo = await createRepo(ctx, { type: 'model', namespace: 'alice', name: 'merges' });
    const cases = fc.sample(fc.tuple(base, edits, edits), { numRuns: 60, seed: 20261126 });
    const planned: { ours: Oid; theirs: Oid; root: Oid | null }[] = [];
    for (const [i, [first, mine, yours]] of cases.entries()) {
      await createBranch(ctx, repo, { branch: `o${i}` });
      const start = applied(new Map(), first);
      const common = await commit(repo, `o${i}`, new Map(), start);
      await createBranch(ctx, repo, { branch: `t${i}`, startingPoint: `o${i}` });
      const ours = await commit(repo, `o${i}`, start, applied(start, mine));
      const theirs = await commit(repo, `t${i}`, start, applied(start, yours));
      const plan = await planMerge(ctx, ctx.db, repo.id, { base: common, ours, theirs });
      planned.push({ ours, theirs, root: plan.kind === 'clean' ? plan.plan.rootOid : null });
    }
    const git = await exportRepo(t.app.db, repo.id);
    let clean = 0;
    for (const { ours, theirs, root } of planned) {
      const output = git.run(
        ['-c', 'merge.renames=false', 'merge-tree', '--write-tree', ours, theirs],
        '',
        1,
      );
      const hasConflict = /^\d{6} [0-9a-f]{40} [123]\t/m.test(output);
      expect({ root }).toEqual({ root: hasConflict ? null : output.slice(0, 40) });
      if (!hasConflict) clean++;
    }
    git.remove();
    expect(clean).toBeGreaterThan(15);
    expect(planned.length - clean).toBeGreaterThan(8);
  });
});

describe('merging lines', () => {
  const dir = mkdtempSync(join(tmpdir(), 'larder-merge-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  /** Standard output of `git merge-file`, or null when it has conflicts. */
  function gitMerge(o: string, a: string, b: string): string | null {
    for (const [name, text] of Object.entries({ o, a, b })) writeFileSync(join(dir, name), text);
    const { status, stdout } = spawnSync('git', ['merge-file', '-p', '-q', 'a', 'o', 'b'], {
      cwd: dir,
      encoding: 'utf8',
    });
    return status === 0 ? stdout : null;
  }

  const lines = fc.array(fc.constantFrom('k', 'r', 'i'), { maxLength: 14 });
  /** Lines that are each their own, with some replaced, removed, or others put before them. */
  const edited = lines.map((acts) =>
    acts.flatMap((act, i) => (act === 'k' ? [`line ${i}`] : act === 'r' ? [] : [`new ${i}`, `line ${i}`])),
  );

  it('gives what `git merge-file` gives, and conflicts exactly where it does', () => {
    const joined = (list: string[], ended: boolean) =>
      list.join('\n') + (ended && list.length > 0 ? '\n' : '');
    fc.assert(
      fc.property(edited, edited, fc.boolean(), fc.boolean(), (mine, yours, endA, endB) => {
        const o = joined(
          Array.from({ length: 14 }, (_, i) => `line ${i}`),
          true,
        );
        const [a, b] = [joined(mine, endA), joined(yours, endB)];
        const merged = mergeText(Buffer.from(o), Buffer.from(a), Buffer.from(b));
        expect(merged?.toString() ?? null).toBe(gitMerge(o, a, b));
      }),
      { numRuns: 150, seed: 1126 },
    );
  });

  it('leaves binary, large and hostile texts to people, at once', () => {
    const text = (s: string) => Buffer.from(s);
    expect(mergeText(text('a\0'), text('b\0'), text('c\0'))).toBeNull();
    const same = 'x\n'.repeat(300_000);
    const started = performance.now();
    expect(mergeText(text(same), text(`a\n${same}b\n`), text(`c\n${same}d\n`))).toBeNull();
    const numbers = Array.from({ length: 120_000 }, (_, i) => `${i}\n`);
    expect(
      mergeText(text(numbers.join('')), text(`a\n${numbers.toReversed().join('')}`), text('q\n')),
    ).toBeNull();
    expect(performance.now() - started).toBeLessThan(3000);
    expect(mergeText(text(''), Buffer.alloc(2_000_000, 'a'), text('b'))).toBeNull();
  });

  it('.gitattributes takes the lines that both sides appended', () => {
    const o = '*.bin filter=lfs\n';
    const merged = mergeAttributes(
      Buffer.from(o),
      Buffer.from(`${o}*.a filter=lfs\n`),
      Buffer.from(`${o}*.b filter=lfs`),
    );
    expect(merged?.toString()).toBe(`${o}*.a filter=lfs\n*.b filter=lfs\n`);
  });
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { lfsLine, parseAttributes } from '#lib/repos/git/attributes.ts';
import { parseIgnore } from '#lib/repos/git/ignore.ts';
import { compileGlob } from '#lib/repos/git/wildmatch.ts';
import { Git } from './git-binary.ts';

const git = new Git();
afterAll(() => git.remove());

const piece = fc.constantFrom(
  'a',
  'b',
  'ab',
  '.',
  '-',
  'A',
  'é',
  ' ',
  '/',
  '/',
  '*',
  '**',
  '**/',
  '/**',
  '/**/',
  '?',
  '[ab]',
  '[!a]',
  '[a-c]',
  '[^b]',
  '[[:alpha:]]',
  '[[:space:]]',
  '[]a]',
  '[a',
  '\\*',
  '\\a',
  '#',
  '!',
  '[a-]',
  '[\\]]',
  '*.b',
  'a**/b',
  'a/b',
  'ab/',
);
const pattern = fc.array(piece, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''));
const segment = fc.array(
  fc.constantFrom('a', 'b', 'c', 'ab', '.', '-', 'A', 'é', ' ', '*', '#', '!', ']', '\\'),
  {
    minLength: 1,
    maxLength: 4,
  },
);
const path = fc
  .array(
    segment.map((parts) => parts.join('')),
    { minLength: 1, maxLength: 4 },
  )
  .map((names) => names.join('/'))
  .filter((p) => !/(^|\/)\.{1,2}(\/|$)/.test(p));

describe('patterns mean what they mean to git', () => {
  it('.gitattributes: the filter of every path is the one that git check-attr reports', () => {
    const attribute = fc.constantFrom('filter=lfs', '-filter', 'filter=x', '!filter', 'text');
    const line = fc
      .tuple(pattern, attribute)
      .filter(([p]) => !/^[\s"]/.test(p) && p.trim() !== '')
      .map(([p, a]) => `${p.replaceAll(' ', '[[:space:]]')} ${a}`);
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 12 }),
        fc.array(path, { minLength: 1, maxLength: 40 }),
        (lines, paths) => {
          const text = `${lines.join('\n')}\n`;
          writeFileSync(join(git.dir, '.gitattributes'), text);
          const out = git.run(['check-attr', '--stdin', '-z', 'filter'], paths.map((p) => `${p}\0`).join(''));
          const fields = out.split('\0');
          const ours = parseAttributes(text);
          for (const [index, p] of paths.entries()) {
            const theirs = fields[index * 3 + 2];
            const filter = ours.filterOf(p) ?? 'unspecified';
            expect([p, theirs === 'unset' ? 'unspecified' : theirs]).toEqual([p, filter]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('.gitignore: a path is ignored exactly when git check-ignore says so', () => {
    const line = fc.tuple(fc.boolean(), pattern, fc.boolean()).map(([no, p, folder]) => {
      return `${no ? '!' : ''}${p}${folder ? '/' : ''}`;
    });
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 6 }),
        fc.array(path, { minLength: 1, maxLength: 30 }),
        (lines, paths) => {
          const text = `${lines.join('\n')}\n`;
          writeFileSync(join(git.dir, '.gitignore'), text);
          const out = git.run(
            ['check-ignore', '--stdin', '-z', '--no-index', '-v', '-n'],
            paths.map((p) => `${p}\0`).join(''),
            1, // none is ignored
          );
          const fields = out.split('\0');
          const isIgnored = parseIgnore(text);
          for (const [index, p] of paths.entries()) {
            const rule = fields[index * 4 + 2] ?? '';
            const theirs = rule !== '' && !rule.startsWith('!');
            expect([p, lines, isIgnored(p)]).toEqual([p, lines, theirs]);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('the line that a commit appends for an LFS file makes git keep exactly this path with the lfs filter', () => {
    const wild = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 });
    const name = fc
      .oneof(wild, path)
      .filter((p) => p.isWellFormed() && !/[\0]|^\/|\/$|\/\/|(^|\/)\.{1,2}(\/|$)/.test(p));
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 20 }), (paths) => {
        const text = paths.map((p) => `${lfsLine(p)}\n`).join('');
        writeFileSync(join(git.dir, '.gitattributes'), text);
        const out = git.run(['check-attr', '--stdin', '-z', 'filter'], paths.map((p) => `${p}\0`).join(''));
        const ours = parseAttributes(text);
        for (const [index, p] of paths.entries()) {
          expect([p, out.split('\0')[index * 3 + 2]]).toEqual([p, 'lfs']);
          expect([p, ours.filterOf(p)]).toEqual([p, 'lfs']);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('a hostile pattern costs pattern × path, and a hostile file is refused instead of holding up the process', () => {
    const glob = compileGlob(`${'*a'.repeat(200)}*b`);
    expect(glob.matches('a'.repeat(1000))).toBe(false);
    const rules = parseAttributes(`${'*a'.repeat(200)}*b filter=lfs\n`.repeat(5000));
    expect(() => rules.filterOf('a'.repeat(1000))).toThrow(/too costly/);
  });

  it('ten thousand plain lines are looked up, not tried one by one', () => {
    const paths = Array.from({ length: 10_000 }, (_, i) => `folder/file-${i}.odd`);
    const rules = parseAttributes(paths.map((p) => `${lfsLine(p)}\n`).join(''));
    for (const p of paths) expect(rules.filterOf(p)).toBe('lfs');
    expect(rules.filterOf('folder/other.odd')).toBe(undefined);
  });

  it('of plain and wild lines the last that matches decides', () => {
    const rules = parseAttributes('a.x filter=1\n*.x filter=2\nd/a.x filter=3\nb.x filter=4\n');
    expect(['a.x', 'd/a.x', 'e/a.x', 'b.x', 'c.y'].map((p) => rules.filterOf(p))).toEqual([
      '2',
      '3',
      '2',
      '4',
      undefined,
    ]);
  });
});

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

  it('a hostile pattern costs pattern × path, not more', () => {
    const glob = compileGlob(`${'*a'.repeat(200)}*b`);
    const started = process.cpuUsage().user;
    expect(glob.matches('a'.repeat(1000))).toBe(false);
    expect(process.cpuUsage().user - started).toBeLessThan(2_000_000);
  });
});

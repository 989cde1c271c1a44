import { readdirSync } from 'node:fs';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  nameSkeleton,
  namespaceNameProblem,
  RESERVED_NAMES,
  repoNameProblem,
  validateName,
} from '#lib/identity/names.ts';
import { routes } from '#lib/wire/routes.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';

/** The rule of the clients: huggingface_hub's validate_repo_id, one half of it. */
function clientAccepts(name: string): boolean {
  return (
    /^\b[\w.-]{1,96}\b$/.test(name) &&
    /^\p{ASCII}*$/u.test(name) &&
    !/--|\.\./.test(name) &&
    !name.endsWith('.git')
  );
}

describe('reserved names', () => {
  test('cover the first segment of every route of the wire', () => {
    const first = routes.flatMap((r) => r.patterns).map((p) => p.split('/')[1] ?? '');
    for (const segment of first.filter((s) => s !== '' && !s.startsWith(':') && !s.startsWith('*'))) {
      expect([segment, namespaceNameProblem(segment)]).toEqual([segment, expect.any(String)]);
    }
  });

  test('cover every top-level folder and file of the pages', () => {
    for (const entry of readdirSync(new URL('../../app', import.meta.url), { withFileTypes: true })) {
      const isSegment = entry.isDirectory() && !/^[[(@_]/.test(entry.name);
      if (isSegment)
        expect([entry.name, namespaceNameProblem(entry.name)]).toEqual([entry.name, expect.any(String)]);
      if (entry.isDirectory() && entry.name.startsWith('(')) {
        for (const inner of readdirSync(new URL(`../../app/${entry.name}`, import.meta.url), {
          withFileTypes: true,
        })) {
          if (!inner.isDirectory() || /^[[(@_]/.test(inner.name)) continue;
          expect([inner.name, namespaceNameProblem(inner.name)]).toEqual([inner.name, expect.any(String)]);
        }
      }
    }
  });

  test('are refused in any case', () => {
    for (const name of RESERVED_NAMES) expect(namespaceNameProblem(name.toUpperCase())).not.toBeNull();
  });
});

describe('names', () => {
  test.each(['bert-base', 'a', 'x.y', '_x', 'Q4_K_M', 'x'.repeat(96), '2', 'v1.0'])(
    'repo name %s is good',
    (name) => {
      expect(validateName(name)).toBe(name);
    },
  );

  test.each([
    '',
    '.',
    '..',
    '-x',
    'x-',
    '.x',
    'x.',
    'x.git',
    'X.GIT',
    'x.lock',
    'con',
    'NUL.bin',
    'a--b',
    'a..b',
    'x'.repeat(97),
    'a b',
    'a/b',
    'é',
    '🤗',
    'a\n',
    'a\0',
  ])('repo name %j is refused with a reason', (name) => {
    expect(() => validateName(name)).toThrow(/^name must|^name may|^name is/);
  });

  test('every accepted repo name and every accepted user name can be addressed by the clients', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abzAZ019._-_ é/'), maxLength: 12 });
    fc.assert(
      fc.property(word, (name) => {
        if (repoNameProblem(name) === null) expect([name, clientAccepts(name)]).toEqual([name, true]);
        if (namespaceNameProblem(name) === null) expect([name, clientAccepts(name)]).toEqual([name, true]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('look-alikes', () => {
  let t: TestApp;
  beforeAll(async () => {
    t = await createTestApp();
  });
  afterAll(() => t.close());

  test.each([
    ['huggingface', 'hugglngface'],
    ['google', 'g00gle'],
    ['modern-lab', 'modem-lab'],
    ['wonder', 'vvonder'],
    ['open-ai', 'OpenAI'],
  ])('%s and %s are the same word', (a, b) => {
    expect(nameSkeleton(a)).toBe(nameSkeleton(b));
  });

  test('the database computes the same word as the code', async () => {
    const names = fc.sample(
      fc.string({ unit: fc.constantFrom(...'abilmnorvw01-_.'), minLength: 1, maxLength: 20 }),
      500,
    );
    const { rows } = await t.app.db.query<{ name: string; word: string }>(
      `SELECT name, replace(replace(translate(lower(name), '01l-_.', 'oii'), 'vv', 'w'), 'rn', 'm') AS word
       FROM unnest($1::text[]) AS t (name)`,
      [names],
    );
    for (const row of rows) expect([row.name, row.word]).toEqual([row.name, nameSkeleton(row.name)]);
  });
});

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

/** docs/ARCHITECTURE.md, "Layers": a file imports from its own layer or from the left. */
const ORDER: readonly (readonly string[])[] = [
  ['lib/base'],
  ['lib/storage', 'lib/jobs'],
  ['lib/identity'],
  ['lib/repos'],
  ['lib/catalog'],
  ['lib/endpoints'],
  ['lib/wire', 'lib/ui'],
  ['app', 'workers', 'server.ts'],
];
const MAX_LINES = 300;
/** Files that are longer for now. May only shrink. */
const LONG: Readonly<Record<string, number>> = {};
const ENV_READERS = new Set(['lib/base/config.ts', 'lib/base/failpoint.ts', 'server.ts']);

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts', '*.tsx', '*.mjs'],
  {
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter(Boolean);
const source = files.filter((f) => /^(?:lib|app|workers)\/|^server\.ts$/.test(f) && !/\.test\.tsx?$/.test(f));
const read = (file: string) => readFileSync(file, 'utf8');

function layerOf(file: string): number {
  return ORDER.findIndex((layer) => layer.some((prefix) => file === prefix || file.startsWith(`${prefix}/`)));
}

function folderOf(file: string): string {
  return ORDER.flat().find((prefix) => file === prefix || file.startsWith(`${prefix}/`)) ?? '';
}

/** Project files that a file imports, by static or dynamic import or by a worker URL. */
function importsOf(file: string): string[] {
  const found = read(file).matchAll(/(?:from\s+|import\s*\(?\s*|new URL\(\s*)['"]([^'"]+)['"]/g);
  return [...found].flatMap(([, spec = '']) => {
    if (spec.startsWith('#')) return [spec.slice(1)];
    if (spec.startsWith('.')) return [normalize(join(dirname(file), spec))];
    return [];
  });
}

describe('architecture', () => {
  test('no file imports from a layer to its right, nor across two layers of the same rank', () => {
    const wrong: string[] = [];
    for (const file of source) {
      for (const target of importsOf(file)) {
        const from = layerOf(file);
        const to = layerOf(target);
        if (to < 0) continue;
        const sameRankOtherFolder =
          from === to && folderOf(file) !== folderOf(target) && from < ORDER.length - 1;
        if (to > from || sameRankOtherFolder) wrong.push(`${file} imports ${target}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('workers import neither pages nor components, and pages import no adapter', () => {
    const wrong = source.flatMap((file) =>
      importsOf(file)
        .filter(
          (target) =>
            (file.startsWith('workers/') && /^(?:lib\/ui|app|lib\/wire)\//.test(target)) ||
            (/^(?:app|lib\/ui)\//.test(file) && /^lib\/(?:storage|wire|base\/(?:db|prisma))/.test(target)),
        )
        .map((target) => `${file} imports ${target}`),
    );
    expect(wrong).toEqual([]);
  });

  test('the environment is read in one place', () => {
    const wrong = source.filter(
      (f) => !ENV_READERS.has(f) && !f.startsWith('workers/engines/') && /process\.env\b/.test(read(f)),
    );
    expect(wrong).toEqual([]);
  });

  test('routes and pages touch neither Prisma nor SQL nor the object store', () => {
    const wrong = source.filter(
      (f) =>
        /^(?:lib\/wire|app|lib\/ui)\//.test(f) &&
        f !== 'lib/wire/health.ts' &&
        /\bctx\.(?:prisma|db)\.(?!\s)|\b(?:prisma|db)\.query\(/.test(read(f)),
    );
    expect(wrong).toEqual([]);
  });

  test('raw SQL is never built from strings by the unsafe calls', () => {
    expect(source.filter((f) => /\$(?:query|execute)RawUnsafe/.test(read(f)))).toEqual([]);
  });

  test('no folder or file is a bag of odds and ends', () => {
    expect(
      source.filter((f) => /(?:^|\/)(?:utils?|helpers?|common|manager|service|misc)(?:\.tsx?|\/)/.test(f)),
    ).toEqual([]);
  });

  test(`files stay under ${MAX_LINES} lines; the list of longer ones only shrinks`, () => {
    const all = files.filter((f) => /^(?:lib|app|workers|bin|prisma)\/|^server\.ts$/.test(f));
    const long = all.map((f) => [f, read(f).split('\n').length] as const).filter(([, n]) => n > MAX_LINES);
    expect(long.filter(([f, n]) => n > (LONG[f] ?? 0))).toEqual([]);
    expect(Object.keys(LONG).filter((f) => !long.some(([g]) => g === f))).toEqual([]);
  });
});

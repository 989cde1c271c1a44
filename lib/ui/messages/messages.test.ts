import { readdirSync, readFileSync } from 'node:fs';
import { createTranslator } from 'use-intl/core';
import { expect, test } from 'vitest';
import { LANGUAGES } from '../language.ts';
import { messagesOf } from './messages.ts';

interface Text {
  key: string;
  text: string;
}

function textsOf(node: object, prefix = ''): Text[] {
  return Object.entries(node).flatMap(([name, value]) => {
    const key = prefix ? `${prefix}.${name}` : name;
    return typeof value === 'string' ? [{ key, text: value }] : textsOf(value as object, key);
  });
}

const argumentsOf = (text: string) => [...text.matchAll(/\{(\w+)/g)].map((m) => m[1]).sort();
const english = textsOf(messagesOf('en'));

test('both languages have the same keys, none of them empty', () => {
  const chinese = textsOf(messagesOf('zh-CN'));
  expect(chinese.map((t) => t.key).sort()).toEqual(english.map((t) => t.key).sort());
  expect([...english, ...chinese].filter((t) => t.text.trim() === '')).toEqual([]);
});

test('a text takes the same arguments in both languages', () => {
  const chinese = new Map(textsOf(messagesOf('zh-CN')).map((t) => [t.key, t.text]));
  const plural = /^(?:one|other)$/;
  for (const { key, text } of english) {
    const unique = (s: string) => [...new Set(argumentsOf(s))].filter((a) => a && !plural.test(a));
    const words = new Set([
      'byte',
      'bytes',
      'repo',
      'repos',
      'download',
      'downloads',
      'comment',
      'comments',
      'commit',
      'commits',
      'line',
      'lines',
      'token',
      'tokens',
      'file',
      'files',
    ]);
    expect(
      unique(chinese.get(key) ?? '').filter((a) => !words.has(a ?? '')),
      key,
    ).toEqual(unique(text).filter((a) => !words.has(a ?? '')));
  }
});

test('every text is valid ICU: formatting it with its arguments does not fail', () => {
  for (const language of LANGUAGES) {
    const failures: string[] = [];
    const t = createTranslator({
      locale: language,
      messages: messagesOf(language) as unknown as Record<string, unknown>,
      onError: (error) => failures.push(`${language}: ${error.message}`),
    }) as (key: string, values: Record<string, number>) => string;
    for (const { key, text } of textsOf(messagesOf(language))) {
      t(key, Object.fromEntries(argumentsOf(text).map((a) => [a ?? '', 2])));
    }
    expect(failures).toEqual([]);
  }
});

test('every text is shown somewhere', () => {
  const root = new URL('../../../', import.meta.url);
  const sources = ['lib/ui', 'app'].flatMap((folder) =>
    readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.tsx?$/.test(file) && !file.includes('messages/') && !file.endsWith('.test.ts'))
      .map((file) => readFileSync(new URL(`${folder}/${file}`, root), 'utf8')),
  );
  const code = sources.join('\n');
  const isShown = (key: string) =>
    code.includes(`'${key}'`) || code.includes(`\`${key.slice(0, key.lastIndexOf('.'))}.\${`);
  expect(english.map((t) => t.key).filter((key) => !isShown(key))).toEqual([]);
});

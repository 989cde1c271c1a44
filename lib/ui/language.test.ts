import { expect, test } from 'vitest';
import { chooseLanguage } from './language.ts';

test('the reader’s own choice beats the browser’s list', () => {
  expect(chooseLanguage('zh-CN', 'en-US,en;q=0.9')).toBe('zh-CN');
  expect(chooseLanguage('en', 'zh-CN')).toBe('en');
});

test('without a choice the best language of Accept-Language that we speak is taken', () => {
  expect(chooseLanguage(undefined, 'fr-FR, zh-TW;q=0.8, en;q=0.7')).toBe('zh-CN');
  expect(chooseLanguage(undefined, 'en;q=0.3, zh;q=0.9')).toBe('zh-CN');
  expect(chooseLanguage(undefined, 'zh;q=0, en-GB;q=0.1')).toBe('en');
});

test('nonsense and absence end in English', () => {
  expect(chooseLanguage('klingon', null)).toBe('en');
  expect(chooseLanguage(undefined, ';;;q=9,,*')).toBe('en');
  expect(chooseLanguage('', 'de')).toBe('en');
});

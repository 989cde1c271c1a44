import type { Language } from '../language.ts';
import { en } from './en/english.ts';
import { zhCn } from './zh-cn/chinese.ts';

/** All texts; the literal English strings also tell the compiler which arguments each text takes. */
export type Messages = typeof en;

/** The same keys with any text: what a translation must be. */
export type Translation<T> = { readonly [K in keyof T]: T[K] extends string ? string : Translation<T[K]> };

const MESSAGES: Record<Language, Translation<Messages>> = { en, 'zh-CN': zhCn };

/** The texts of one language. Typed as the English ones, so that keys and arguments are checked. */
export function messagesOf(language: Language): Messages {
  return MESSAGES[language] as Messages;
}

/** The languages of the pages. The first is the fallback. */
export const LANGUAGES = ['en', 'zh-CN'] as const;
export type Language = (typeof LANGUAGES)[number];

export const LANGUAGE_COOKIE = 'larder_language';

/** Names of the languages in themselves: these are never translated. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: 'English', 'zh-CN': '简体中文' };

/** True for a language that the pages speak. */
function isLanguage(value: unknown): value is Language {
  return LANGUAGES.includes(value as Language);
}

/** Weight of one item of Accept-Language (RFC 9110 §12.5.4); 1 when absent, 0 when it is nonsense. */
function weightOf(parameters: readonly string[]): number {
  const q = parameters.map((p) => /^\s*q=(\d(?:\.\d{0,3})?)\s*$/i.exec(p)?.[1]).find(Boolean);
  return q === undefined ? 1 : Number(q);
}

/**
 * Picks the language of a page: the reader's own choice (cookie) first, then the best of Accept-Language that we
 * speak (any Chinese counts as 简体中文), then English.
 */
export function chooseLanguage(cookie: string | undefined, acceptLanguage: string | null): Language {
  if (isLanguage(cookie)) return cookie;
  const wishes = (acceptLanguage ?? '')
    .slice(0, 500)
    .split(',')
    .map((item) => {
      const [tag = '', ...parameters] = item.split(';');
      return { tag: tag.trim().toLowerCase(), weight: weightOf(parameters) };
    })
    .filter((wish) => wish.weight > 0)
    .sort((a, b) => b.weight - a.weight);
  for (const { tag } of wishes) {
    if (tag === 'zh' || tag.startsWith('zh-')) return 'zh-CN';
    if (tag === 'en' || tag.startsWith('en-')) return 'en';
  }
  return 'en';
}

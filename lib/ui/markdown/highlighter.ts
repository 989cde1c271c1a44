import { type BundledLanguage, bundledLanguages, createHighlighter, type Highlighter } from 'shiki';

const THEMES = { light: 'github-light', dark: 'github-dark' } as const;
/** Comments of both themes are too pale for text: 4.5:1 on our surfaces needs these. */
const COLOR_REPLACEMENTS = {
  'github-light': {
    '#6a737d': '#5b636c',
    '#d73a49': '#b42a38',
    '#22863a': '#1d6e30',
    '#e36209': '#a94705',
    '#6f42c1': '#6236b0',
  },
  'github-dark': { '#6a737d': '#959da5' },
};

/** Options of every highlighting: both themes in one text, chosen by the page's colour scheme. */
export const SHIKI_OPTIONS = {
  themes: THEMES,
  defaultColor: 'light-dark()',
  colorReplacements: COLOR_REPLACEMENTS,
  tokenizeMaxLineLength: 2_000,
  tokenizeTimeLimit: 200,
} as const;

/** One per process although Next bundles its own copy of this module: grammars are large. */
const holder = globalThis as { __larderHighlighter?: Promise<Highlighter> };

/** The highlighter with `language` loaded, and the language to name: unknown ones are plain text. */
export async function highlighterFor(language: string): Promise<{ highlighter: Highlighter; lang: string }> {
  holder.__larderHighlighter ??= createHighlighter({ themes: Object.values(THEMES), langs: [] });
  const highlighter = await holder.__larderHighlighter;
  const lang = language.toLowerCase();
  if (!Object.hasOwn(bundledLanguages, lang)) return { highlighter, lang: 'text' };
  if (!highlighter.getLoadedLanguages().includes(lang))
    await highlighter.loadLanguage(lang as BundledLanguage);
  return { highlighter, lang };
}

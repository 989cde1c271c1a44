/** What the reader chose; `system` follows the operating system and leaves no cookie. */
export const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

export const THEME_COOKIE = 'larder_theme';

/** Reads the cookie's value; anything unknown is `system`. */
export function chooseTheme(cookie: string | undefined): Theme {
  return cookie === 'light' || cookie === 'dark' ? cookie : 'system';
}

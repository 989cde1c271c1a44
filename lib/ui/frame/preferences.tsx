'use client';

import { Languages, Monitor, Moon, Sun } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { Button } from '../kit/button.tsx';
import { Menu, MenuChoice, MenuChoices, MenuLabel } from '../kit/menu.tsx';
import { LANGUAGE_COOKIE, LANGUAGE_NAMES, LANGUAGES } from '../language.ts';
import { useLanguage, useTranslator } from '../reader.tsx';
import { THEME_COOKIE, THEMES, type Theme } from '../theme.ts';

const YEAR_SECONDS = 31_536_000;

function setCookie(name: string, value: string): void {
  const age = value === 'system' ? 0 : YEAR_SECONDS;
  document.cookie = `${name}=${value}; path=/; max-age=${age}; samesite=lax`;
}

/** Switches the pages between the languages at once, and remembers it. */
export function LanguageMenu() {
  const [t, language, router] = [useTranslator(), useLanguage(), useRouter()];
  const choose = (value: string) => {
    setCookie(LANGUAGE_COOKIE, value);
    router.refresh();
  };
  return (
    <Menu
      trigger={
        <Button look="quiet" size="icon" aria-label={t('frame.language')} title={t('frame.language')}>
          <Languages />
        </Button>
      }
    >
      <MenuLabel>{t('frame.language')}</MenuLabel>
      <MenuChoices value={language} onValueChange={choose}>
        {LANGUAGES.map((each) => (
          <MenuChoice key={each} value={each}>
            <span lang={each}>{LANGUAGE_NAMES[each]}</span>
          </MenuChoice>
        ))}
      </MenuChoices>
    </Menu>
  );
}

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon };

/** Switches between light, dark and what the system says, without loading anything. */
export function ThemeMenu({ initial }: { initial: Theme }) {
  const t = useTranslator();
  const [theme, setTheme] = useState(initial);
  const names = { system: t('frame.themeSystem'), light: t('frame.themeLight'), dark: t('frame.themeDark') };
  const choose = (value: string) => {
    const next = value as Theme;
    setCookie(THEME_COOKIE, next);
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    setTheme(next);
  };
  const Icon = THEME_ICONS[theme];
  return (
    <Menu
      trigger={
        <Button look="quiet" size="icon" aria-label={t('frame.theme')} title={t('frame.theme')}>
          <Icon />
        </Button>
      }
    >
      <MenuLabel>{t('frame.theme')}</MenuLabel>
      <MenuChoices value={theme} onValueChange={choose}>
        {THEMES.map((each) => (
          <MenuChoice key={each} value={each}>
            {names[each]}
          </MenuChoice>
        ))}
      </MenuChoices>
    </Menu>
  );
}

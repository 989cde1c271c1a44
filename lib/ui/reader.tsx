'use client';

import type { ReactNode } from 'react';
import { IntlProvider, useLocale, useTranslations } from 'use-intl/react';
import type { Language } from './language.ts';
import { messagesOf } from './messages/messages.ts';
import type { Translator } from './translator.ts';

/** Gives client components the page's language. The texts come with the scripts, not with every page. */
export function ReaderProvider({ language, children }: { language: Language; children: ReactNode }) {
  return (
    <IntlProvider locale={language} messages={messagesOf(language)} timeZone="UTC">
      {children}
    </IntlProvider>
  );
}

/** The translator of the page's language, for client components. */
export function useTranslator(): Translator {
  return useTranslations();
}

/** The page's language, for client components. */
export function useLanguage(): Language {
  return useLocale() as Language; // ReaderProvider puts nothing else in
}

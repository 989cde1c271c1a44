import { cache } from 'react';
import { createTranslator } from 'use-intl/core';
import { type Messages, messagesOf } from './messages/messages.ts';
import { readerWishes } from './server-context.ts';

/** `t('repo.files')`: keys and arguments are checked by the compiler. */
export type Translator = ReturnType<typeof createTranslator<Messages>>;

/** The translator of the request's language, for server components. */
export const translator = cache(async (): Promise<Translator> => {
  const { language } = await readerWishes();
  return createTranslator({ locale: language, messages: messagesOf(language) });
});

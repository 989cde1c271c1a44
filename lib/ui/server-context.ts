import { cookies, headers } from 'next/headers';
import { cache } from 'react';
import { newId } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { currentApp } from '#lib/identity/current-app.ts';
import { ANONYMOUS } from '#lib/identity/principal.ts';
import { hub } from './hub.ts';
import { chooseLanguage, LANGUAGE_COOKIE, type Language } from './language.ts';
import { chooseTheme, THEME_COOKIE, type Theme } from './theme.ts';

const PAGE_DEADLINE_MS = 30_000;

/**
 * What a page hands to use cases: the server's App, who asks (by session cookie), and the address under which the
 * reader sees this hub, as server.ts found it. Made once per request.
 */
export const pageContext = cache(async (): Promise<Ctx> => {
  const app = currentApp();
  const sent = await headers();
  const user = await hub().readSession(app, sent.get('cookie'));
  return Object.freeze({
    ...app,
    principal: user ?? ANONYMOUS,
    requestId: sent.get('x-request-id') ?? newId(app.clock.now()),
    ip: null,
    signal: AbortSignal.timeout(PAGE_DEADLINE_MS),
    redirectsMoved: true,
    publicUrl: `${sent.get('x-forwarded-proto') ?? 'http'}://${sent.get('x-forwarded-host') ?? 'localhost'}`,
  });
});

/** How the reader wants pages: language (cookie, then Accept-Language) and theme (cookie). */
export const readerWishes = cache(async (): Promise<{ language: Language; theme: Theme }> => {
  const [jar, sent] = [await cookies(), await headers()];
  return {
    language: chooseLanguage(jar.get(LANGUAGE_COOKIE)?.value, sent.get('accept-language')),
    theme: chooseTheme(jar.get(THEME_COOKIE)?.value),
  };
});

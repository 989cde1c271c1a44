import type { ReactNode } from 'react';
import { Toaster } from 'sonner';
import { ReaderProvider } from '../reader.tsx';
import { readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import { TopBar } from './top-bar.tsx';

/** What is around every page: language, bar, the place for the page, toasts. */
export async function Frame({ children }: { children: ReactNode }) {
  const [t, { language }] = await Promise.all([translator(), readerWishes()]);
  return (
    <ReaderProvider language={language}>
      <a
        href="#content"
        className="sr-only focus:not-sr-only focus:fixed focus:top-2 focus:left-2 focus:z-50 focus:rounded-md focus:bg-accent focus:px-3 focus:py-2 focus:text-on-accent"
      >
        {t('frame.skip')}
      </a>
      <TopBar />
      <main
        id="content"
        tabIndex={-1}
        className="mx-auto w-full max-w-[1328px] px-4 pt-6 pb-16 outline-none md:px-6"
      >
        {children}
      </main>
      <Toaster position="bottom-right" toastOptions={{ classNames: { toast: 'toast' } }} />
    </ReaderProvider>
  );
}

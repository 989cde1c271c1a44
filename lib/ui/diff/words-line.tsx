'use client';

import { LoaderCircle } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button } from '../kit/button.tsx';
import { useTranslator } from '../reader.tsx';

/** A line of words where there is nothing to show, or not yet. */
export function WordsLine({ children }: { children: ReactNode }) {
  return <div className="flex flex-wrap items-center gap-2 px-4 py-3 text-sm text-muted">{children}</div>;
}

/** What stands in place of an answer that is on its way or did not come. */
export function NotYet({
  answer,
}: {
  answer: { state: 'loading' } | { state: 'failed'; message: string; retry: () => void };
}) {
  const t = useTranslator();
  if (answer.state === 'loading')
    return (
      <WordsLine>
        <LoaderCircle className="size-4 animate-spin" aria-hidden="true" />
        {t('diff.loading')}
      </WordsLine>
    );
  return (
    <WordsLine>
      <span role="alert">{answer.message || t('words.requestFailed')}</span>
      <Button size="sm" onClick={answer.retry}>
        {t('words.tryAgain')}
      </Button>
    </WordsLine>
  );
}

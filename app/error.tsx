'use client';

import { TriangleAlert } from 'lucide-react';
import { Button } from '#lib/ui/kit/button.tsx';
import { EmptyState } from '#lib/ui/kit/panel.tsx';
import { useTranslator } from '#lib/ui/reader.tsx';

export default function ErrorPage({
  error,
  reset,
}: {
  error: Error & { digest?: string };
  reset: () => void;
}) {
  const t = useTranslator();
  return (
    <EmptyState
      icon={<TriangleAlert />}
      title={t('errors.failedTitle')}
      text={t('errors.failedText', { code: error.digest ?? '–' })}
    >
      <Button onClick={reset}>{t('words.tryAgain')}</Button>
    </EmptyState>
  );
}

import { SearchX } from 'lucide-react';
import { ButtonLink } from '#lib/ui/kit/button.tsx';
import { EmptyState } from '#lib/ui/kit/panel.tsx';
import { translator } from '#lib/ui/translator.ts';

export default async function NotFoundPage() {
  const t = await translator();
  return (
    <EmptyState icon={<SearchX />} title={t('errors.notFoundTitle')} text={t('errors.notFoundText')}>
      <ButtonLink href="/">{t('errors.goHome')}</ButtonLink>
    </EmptyState>
  );
}

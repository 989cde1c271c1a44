'use client';

import { TriangleAlert } from 'lucide-react';
import type { MeaningDiff } from '#lib/catalog/diff/diff-meaning.ts';
import type { ChangedFile } from '#lib/repos/diff/types.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { comparisonApi } from '../../addresses.ts';
import { useTranslator } from '../../reader.tsx';
import { useAnswer } from '../use-answer.ts';
import { fileQuery } from '../use-file-diff.ts';
import { NotYet, WordsLine } from '../words-line.tsx';
import { ValueTable } from './value-table.tsx';
import { VocabularyPanel } from './vocabulary-panel.tsx';

/** What changed in a card, a configuration or a vocabulary, by what it means. */
export function MeaningView(props: { repo: RepoRef; range: string; file: ChangedFile; isWanted: boolean }) {
  const t = useTranslator();
  const address = `${comparisonApi(props.repo, 'diff-meaning', props.range)}?${fileQuery(props.file)}`;
  const answer = useAnswer<MeaningDiff>(address, props.isWanted);
  if (answer.state !== 'loaded') return <NotYet answer={answer} />;
  const { value } = answer;
  switch (value.kind) {
    case 'unreadable':
      return (
        <WordsLine>
          <TriangleAlert className="size-4 text-warn" aria-hidden="true" />
          {t('diff.unreadable', { reason: value.reason })}
        </WordsLine>
      );
    case 'vocabulary':
      return <VocabularyPanel diff={value} />;
    case 'card':
      return (
        <>
          <ValueTable diff={value} empty={t('diff.sameMetadata')} />
          {value.isBodyChanged && <WordsLine>{t('diff.bodyChanged')}</WordsLine>}
        </>
      );
    case 'config':
      return <ValueTable diff={value} empty={t('diff.sameValues')} />;
  }
}

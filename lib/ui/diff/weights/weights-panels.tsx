'use client';

import { isWeights } from '#lib/catalog/diff/model-views.ts';
import type { ChangedFile } from '#lib/repos/diff/types.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { comparisonApi } from '../../addresses.ts';
import { Panel } from '../../kit/panel.tsx';
import { useTranslator } from '../../reader.tsx';
import { NotYet, WordsLine } from '../words-line.tsx';
import { ModelPanel } from './model-panel.tsx';
import { useTensorDiff } from './use-tensor-diff.ts';

/** What changed inside of the weights, a panel for each model; nothing where no weights differ. */
export function WeightsPanels(props: { repo: RepoRef; range: string; files: readonly ChangedFile[] }) {
  const hasWeights = props.files.some((file) => isWeights(file.path) && file.before?.oid !== file.after?.oid);
  return hasWeights && <Panels repo={props.repo} range={props.range} />;
}

function Panels({ repo, range }: { repo: RepoRef; range: string }) {
  const t = useTranslator();
  const { answer, failure } = useTensorDiff(comparisonApi(repo, 'diff-tensors', range));
  if (answer === null)
    return (
      <Panel>
        {failure === null ? (
          <NotYet answer={{ state: 'loading' }} />
        ) : (
          <WordsLine>{failure || t('words.requestFailed')}</WordsLine>
        )}
      </Panel>
    );
  return (
    <>
      {answer.models.map((model) => (
        <ModelPanel key={model.name} model={model} />
      ))}
      {!answer.isComplete && (
        <Panel>
          <WordsLine>{t('diff.moreModels', { count: answer.models.length })}</WordsLine>
        </Panel>
      )}
    </>
  );
}

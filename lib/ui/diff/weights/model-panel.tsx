'use client';

import { Boxes, LoaderCircle, TriangleAlert } from 'lucide-react';
import type { ModelDiff } from '#lib/catalog/diff/diff-tensors.ts';
import type { TensorSummary } from '#lib/catalog/diff/types.ts';
import { formatSize } from '../../format.ts';
import { Chip } from '../../kit/chip.tsx';
import { Panel } from '../../kit/panel.tsx';
import { useLanguage, useTranslator } from '../../reader.tsx';
import { WordsLine } from '../words-line.tsx';
import { LayerStrip } from './layer-strip.tsx';
import { TensorDiffTable } from './tensor-diff-table.tsx';

/** A share in percent: never 100 while anything differs, never 0 while anything is shared. */
function percentOf({ sharedBytes, totalBytes }: TensorSummary, language: string): string {
  const percent = totalBytes === 0 ? 0 : (sharedBytes / totalBytes) * 100;
  const bounded = percent > 99.9 && percent < 100 ? 99.9 : percent < 0.1 && percent > 0 ? 0.1 : percent;
  return new Intl.NumberFormat(language, { maximumFractionDigits: 1 }).format(bounded);
}

/** One model: the sentence, what happened to how many, the picture of its layers, and every tensor. */
export function ModelPanel({ model }: { model: ModelDiff }) {
  const t = useTranslator();
  return (
    <Panel aria-label={model.name} className="overflow-hidden">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-1 border-b border-line bg-sunken px-4 py-2">
        <Boxes className="size-4 text-muted" aria-hidden="true" />
        <h3 className="font-mono text-xs font-medium break-all">
          {model.oldName !== null && <span className="font-normal text-muted">{model.oldName} → </span>}
          {model.name}
        </h3>
        <span className="tabular text-sm text-muted">{sizesOf(model)}</span>
        {model.after.files.length > 1 && (
          <Chip tone="muted">{t('diff.shards', { count: model.after.files.length })}</Chip>
        )}
        <Progress model={model} />
      </header>
      {model.invalid === null ? <Compared model={model} /> : <Invalid reason={model.invalid} />}
    </Panel>
  );
}

const sizesOf = ({ before, after }: ModelDiff) =>
  [before, after]
    .filter((side) => side.files.length > 0)
    .map((side) => formatSize(side.sizeBytes))
    .join(' → ');

function Progress({ model: { invalid, state } }: { model: ModelDiff }) {
  const t = useTranslator();
  if (invalid !== null || state === 'ready') return null;
  return (
    <output className="ml-auto flex items-center gap-1.5 text-sm text-muted">
      <LoaderCircle className="size-4 animate-spin" aria-hidden="true" />
      {t(state === 'hashing' ? 'diff.hashing' : 'diff.measuring')}
    </output>
  );
}

function Invalid({ reason }: { reason: string }) {
  const t = useTranslator();
  return (
    <WordsLine>
      <TriangleAlert className="size-4 text-bad" aria-hidden="true" />
      {t('diff.unreadable', { reason })}
    </WordsLine>
  );
}

function Compared({ model }: { model: ModelDiff }) {
  const [t, language] = [useTranslator(), useLanguage()];
  const { summary, state } = model;
  const { total, different, fates } = summary;
  const isOneSided = model.before.files.length === 0 || model.after.files.length === 0;
  const sentence =
    state === 'hashing'
      ? t('diff.headersOnly', { total })
      : t('diff.sentence', { different, total, percent: percentOf(summary, language) });
  return (
    <>
      <div className="flex flex-col gap-2 px-4 pt-3.5 pb-1">
        {!isOneSided && <p className="text-lg font-semibold">{sentence}</p>}
        <p className="flex flex-wrap gap-1.5">
          {fates.changed > 0 && <Chip tone="warn">{t('diff.fateChanged', { count: fates.changed })}</Chip>}
          {fates.retyped > 0 && <Chip tone="warn">{t('diff.fateRetyped', { count: fates.retyped })}</Chip>}
          {fates.added > 0 && <Chip tone="ok">{t('diff.fateAdded', { count: fates.added })}</Chip>}
          {fates.removed > 0 && <Chip tone="bad">{t('diff.fateRemoved', { count: fates.removed })}</Chip>}
          {fates.renamed > 0 && <Chip tone="info">{t('diff.fateRenamed', { count: fates.renamed })}</Chip>}
          {fates.unchanged > 0 && (
            <Chip tone="muted">{t('diff.fateUnchanged', { count: fates.unchanged })}</Chip>
          )}
          {fates.unknown > 0 && <Chip tone="muted">{t('diff.fateUnknown', { count: fates.unknown })}</Chip>}
        </p>
      </div>
      {!isOneSided && <LayerStrip cells={model.strip} label={sentence} />}
      <TensorDiffTable rows={model.rows} total={total} />
    </>
  );
}

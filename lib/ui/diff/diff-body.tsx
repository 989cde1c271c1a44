'use client';

import { FileQuestion } from 'lucide-react';
import type { ChangedFile, FileDiff, FileDiffView, FileSide } from '#lib/repos/diff/types.ts';
import { formatSize } from '../format.ts';
import { useTranslator } from '../reader.tsx';
import { HunkTable } from './hunk-table.tsx';
import type { LineSlots } from './line-place.ts';
import type { Answer } from './use-answer.ts';
import type { DiffStyle } from './use-diff-style.ts';
import { NotYet, WordsLine } from './words-line.tsx';

interface Props extends LineSlots {
  readonly loaded: Answer<FileDiff> & { readonly retry: () => void };
  readonly file: ChangedFile;
  readonly style: DiffStyle;
}

/** What is below the head of a file: its hunks, or in words why there are none. */
export function DiffBody({ loaded, file, style, ...slots }: Props) {
  if (loaded.state !== 'loaded') return <NotYet answer={loaded} />;
  return <View view={loaded.value.view} file={file} style={style} {...slots} />;
}

function View({
  view,
  file,
  style,
  ...slots
}: LineSlots & { view: FileDiffView; file: ChangedFile; style: DiffStyle }) {
  const t = useTranslator();
  switch (view.kind) {
    case 'text':
      if (view.hunks.length === 0) return <WordsLine>{t('diff.emptyFile')}</WordsLine>;
      return (
        <>
          {!view.isAligned && <WordsLine>{t('diff.notAligned')}</WordsLine>}
          <HunkTable path={file.path} hunks={view.hunks} style={style} {...slots} />
          {view.isCut && <WordsLine>{t('diff.cut')}</WordsLine>}
        </>
      );
    case 'same':
      return <WordsLine>{t(file.kind === 'renamed' ? 'diff.onlyRenamed' : 'diff.onlyMode')}</WordsLine>;
    case 'lfs':
      return <LargeFile before={file.before} after={file.after} />;
    case 'submodule':
      return (
        <WordsLine>
          {t('diff.submodule', {
            from: file.before?.oid.slice(0, 7) ?? '–',
            to: file.after?.oid.slice(0, 7) ?? '–',
          })}
        </WordsLine>
      );
    case 'tooLarge':
      return <WordsLine>{t('diff.tooLarge', { limit: formatSize(view.limitBytes) })}</WordsLine>;
    case 'failed':
      return <WordsLine>{t('diff.failed')}</WordsLine>;
    case 'binary':
      return (
        <WordsLine>
          <FileQuestion className="size-4" aria-hidden="true" />
          {t('diff.binary', sizesOf(file))}
        </WordsLine>
      );
  }
}

const sizesOf = ({ before, after }: Pick<ChangedFile, 'before' | 'after'>) => ({
  from: before ? formatSize(before.sizeBytes) : '–',
  to: after ? formatSize(after.sizeBytes) : '–',
});

/** A large file before and after: what there is to say without reading it. */
function LargeFile({ before, after }: { before: FileSide | null; after: FileSide | null }) {
  const t = useTranslator();
  const row = (label: string, side: FileSide | null) => (
    <div className="grid grid-cols-[6rem_minmax(0,1fr)] gap-x-4 px-4 py-1.5">
      <dt className="text-muted">{label}</dt>
      <dd className="flex flex-wrap gap-x-4">
        {side === null ? (
          '–'
        ) : (
          <>
            <span className="tabular" title={t('words.bytes', { count: side.sizeBytes })}>
              {formatSize(side.sizeBytes)}
            </span>
            <span className="font-mono text-xs break-all text-muted" title={side.lfs?.sha256}>
              {side.lfs ? `sha256 ${side.lfs.sha256.slice(0, 12)}…` : t('diff.inGit')}
            </span>
          </>
        )}
      </dd>
    </div>
  );
  return (
    <dl className="py-1.5 text-sm">
      {row(t('diff.before'), before)}
      {row(t('diff.after'), after)}
    </dl>
  );
}

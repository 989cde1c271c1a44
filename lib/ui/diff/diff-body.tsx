'use client';

import { FileQuestion, LoaderCircle } from 'lucide-react';
import type { ReactNode } from 'react';
import type { ChangedFile, FileDiffView, FileSide } from '#lib/repos/diff/types.ts';
import { formatSize } from '../format.ts';
import { Button } from '../kit/button.tsx';
import { useTranslator } from '../reader.tsx';
import { HunkTable } from './hunk-table.tsx';
import type { LineSlots } from './line-place.ts';
import type { DiffStyle } from './use-diff-style.ts';
import type { LoadedDiff } from './use-file-diff.ts';

interface Props extends LineSlots {
  readonly loaded: LoadedDiff & { readonly retry: () => void };
  readonly file: ChangedFile;
  readonly style: DiffStyle;
}

/** What is below the head of a file: its hunks, or in words why there are none. */
export function DiffBody({ loaded, file, style, ...slots }: Props) {
  const t = useTranslator();
  if (loaded.state === 'loading')
    return (
      <Words>
        <LoaderCircle className="size-4 animate-spin" aria-hidden="true" />
        {t('diff.loading')}
      </Words>
    );
  if (loaded.state === 'failed')
    return (
      <Words>
        <span role="alert">{loaded.message || t('words.requestFailed')}</span>
        <Button size="sm" onClick={loaded.retry}>
          {t('words.tryAgain')}
        </Button>
      </Words>
    );
  return <View view={loaded.diff.view} file={file} style={style} {...slots} />;
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
      if (view.hunks.length === 0) return <Words>{t('diff.emptyFile')}</Words>;
      return (
        <>
          {!view.isAligned && <Words>{t('diff.notAligned')}</Words>}
          <HunkTable path={file.path} hunks={view.hunks} style={style} {...slots} />
          {view.isCut && <Words>{t('diff.cut')}</Words>}
        </>
      );
    case 'same':
      return <Words>{t(file.kind === 'renamed' ? 'diff.onlyRenamed' : 'diff.onlyMode')}</Words>;
    case 'lfs':
      return <LargeFile before={file.before} after={file.after} />;
    case 'submodule':
      return (
        <Words>
          {t('diff.submodule', {
            from: file.before?.oid.slice(0, 7) ?? '–',
            to: file.after?.oid.slice(0, 7) ?? '–',
          })}
        </Words>
      );
    case 'tooLarge':
      return <Words>{t('diff.tooLarge', { limit: formatSize(view.limitBytes) })}</Words>;
    case 'failed':
      return <Words>{t('diff.failed')}</Words>;
    case 'binary':
      return (
        <Words>
          <FileQuestion className="size-4" aria-hidden="true" />
          {t('diff.binary', sizesOf(file))}
        </Words>
      );
  }
}

const sizesOf = ({ before, after }: Pick<ChangedFile, 'before' | 'after'>) => ({
  from: before ? formatSize(before.sizeBytes) : '–',
  to: after ? formatSize(after.sizeBytes) : '–',
});

function Words({ children }: { children: ReactNode }) {
  return <div className="flex flex-wrap items-center gap-2 px-4 py-3 text-sm text-muted">{children}</div>;
}

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

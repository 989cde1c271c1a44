'use client';

import { FileUp, FolderUp, Upload } from 'lucide-react';
import { type ChangeEvent, useRef } from 'react';
import { Button } from '../kit/button.tsx';
import { useTranslator } from '../reader.tsx';
import { hasPickers, pickFiles } from './pick-files.ts';
import { type Chosen, chosenOf } from './walk-drop.ts';

type OnChosen = (chosen: Promise<Chosen>) => unknown;

/** The two buttons that choose files or a folder, with the inputs behind them for browsers without pickers. */
export function PickButtons(props: { onChosen: OnChosen; isMore: boolean; size?: 'sm' }) {
  const t = useTranslator();
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const pick = async (what: 'files' | 'folder') => {
    if (!hasPickers(what)) return (what === 'files' ? files : folder).current?.click();
    const read = await pickFiles(what);
    if (read) props.onChosen(read());
  };
  const take = (event: ChangeEvent<HTMLInputElement>) => {
    props.onChosen(Promise.resolve(chosenOf(event.target.files ?? [])));
    event.target.value = ''; // the same files may be chosen again
  };
  const size = props.size && { size: props.size };
  return (
    <div className="flex flex-wrap justify-center gap-2">
      <Button {...size} look={props.isMore ? 'plain' : 'accent'} onClick={() => void pick('files')}>
        <FileUp />
        {t(props.isMore ? 'upload.moreFiles' : 'upload.chooseFiles')}
      </Button>
      <Button {...size} onClick={() => void pick('folder')}>
        <FolderUp />
        {t(props.isMore ? 'upload.moreFolder' : 'upload.chooseFolder')}
      </Button>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label={t('upload.chooseFiles')}
        onChange={take}
        data-testid="files"
      />
      <input
        ref={folder}
        type="file"
        multiple
        hidden
        aria-label={t('upload.chooseFolder')}
        onChange={take}
        data-testid="folder"
        {...{ webkitdirectory: '' }}
      />
    </div>
  );
}

/** The large place for files while there are none. */
export function DropZone({ onChosen, isOver }: { onChosen: OnChosen; isOver: boolean }) {
  const t = useTranslator();
  return (
    <div
      className={`flex flex-col items-center gap-3 rounded-lg border-2 border-dashed px-4 py-14 text-center ${isOver ? 'border-ring bg-accent-soft' : 'border-line-strong bg-surface'}`}
    >
      <Upload className="size-7 text-muted" aria-hidden="true" />
      <p className="text-lg font-semibold">{t('upload.dropTitle')}</p>
      <p className="max-w-prose text-muted">{t('upload.dropText')}</p>
      <div className="mt-2">
        <PickButtons onChosen={onChosen} isMore={false} />
      </div>
      <p className="text-sm text-muted max-md:hidden">{t('upload.pasteHint')}</p>
    </div>
  );
}

/** Covers the page while files hang over it. */
export function DropCover({ folder }: { folder: string }) {
  const t = useTranslator();
  return (
    <div className="pointer-events-none fixed inset-0 z-40 flex items-center justify-center bg-bg/80 p-4">
      <p className="flex items-center gap-3 rounded-lg border-2 border-dashed border-ring bg-surface px-6 py-5 text-lg font-semibold break-all">
        <Upload className="size-5 shrink-0" aria-hidden="true" />
        {t('upload.dropHere', { folder: folder === '' ? t('upload.root') : folder })}
      </p>
    </div>
  );
}

'use client';

import { Play } from 'lucide-react';
import { visibleText } from '#lib/base/visible-text.ts';
import { formatSize } from '../format.ts';
import { Button } from '../kit/button.tsx';
import { Notice } from '../kit/panel.tsx';
import { useTranslator } from '../reader.tsx';
import { PickButtons } from './drop-zone.tsx';
import { FileNames } from './file-names.tsx';
import type { UploadRun } from './upload-run.ts';
import type { UploadView } from './upload-view.ts';
import type { Chosen } from './walk-drop.ts';

interface Props {
  readonly run: UploadRun;
  readonly view: UploadView;
  readonly onChosen: (chosen: Promise<Chosen>) => void;
}

function Refused({ run, view }: Props) {
  const t = useTranslator();
  const refused = view.items.filter((item) => item.state === 'refused');
  return (
    <Notice tone="bad" title={t('upload.refusedTitle', { count: refused.length })}>
      <FileNames items={refused}>
        {(item) => <span>{visibleText(item.reason) || t('upload.unexplained')}</span>}
      </FileNames>
      <Button size="sm" onClick={() => run.remove(refused.map((item) => item.id))}>
        {t('upload.refusedGoOn')}
      </Button>
    </Notice>
  );
}

function Missing({ run, view, onChosen }: Props) {
  const t = useTranslator();
  const missing = view.items.filter((item) => item.state === 'missing');
  const { sentBytes, bytes } = view.totals;
  return (
    <Notice tone="warn" title={t('upload.missingTitle', { count: missing.length })}>
      <p>
        {t('upload.missingText', { sent: formatSize(sentBytes), total: formatSize(bytes) })}{' '}
        {view.askable > 0 && t('upload.missingAsk')}
        {view.askable === 0 &&
          view.top !== null &&
          t('upload.missingFolder', { name: visibleText(view.top) })}
      </p>
      <FileNames items={missing}>
        {(item) => <span className="tabular">{formatSize(item.sizeBytes)}</span>}
      </FileNames>
      <div className="flex flex-wrap gap-2">
        {view.askable > 0 && (
          <Button look="accent" size="sm" onClick={() => void run.askForFiles()}>
            <Play />
            {t('upload.missingContinue')}
          </Button>
        )}
        <PickButtons onChosen={onChosen} isMore={view.askable > 0} size="sm" />
      </div>
    </Notice>
  );
}

function Blocked({ run, view }: Props) {
  const t = useTranslator();
  if (view.blocked === '') return <Notice tone="warn" title={t('upload.unreachable')} />;
  return (
    <Notice tone="bad" title={t('upload.blocked')}>
      <p className="mb-2">{visibleText(view.blocked ?? '')}</p>
      <Button size="sm" onClick={() => run.goOn()}>
        {t('words.tryAgain')}
      </Button>
    </Notice>
  );
}

/** What a reader must know or decide, each with its button. */
export function UploadNotices(props: Props) {
  const t = useTranslator();
  const { view } = props;
  const { states } = view.totals;
  return (
    <div aria-live="polite" className="flex flex-col gap-3 empty:hidden">
      {view.isElsewhere && (
        <Notice tone="info" title={t('upload.elsewhere')}>
          {t('upload.elsewhereText')}
        </Notice>
      )}
      {!view.isKept && view.items.length > 0 && (
        <Notice tone="warn" title={t('upload.notKept')}>
          {t('upload.notKeptText')}
        </Notice>
      )}
      {view.blocked !== null && <Blocked {...props} />}
      {states.refused > 0 && <Refused {...props} />}
      {states.missing > 0 && <Missing {...props} />}
    </div>
  );
}

'use client';

import { Pause, Play, RotateCw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { formatDuration, formatSize } from '../format.ts';
import { Button } from '../kit/button.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { useTranslator } from '../reader.tsx';
import { pauseFiles, resumeFiles } from './hold-files.ts';
import { type Phase, phaseOf } from './phase.ts';
import { isFinished, type UploadItem } from './upload-item.ts';
import type { UploadRun } from './upload-run.ts';
import type { UploadView } from './upload-view.ts';
import { useSpoken } from './use-spoken.ts';

/** Phases that follow each other quickly: heard now and then. The others are heard at once. */
const BRISK = new Set<Phase>(['asking', 'hashing', 'sending', 'checking']);

const idsOf = (items: readonly UploadItem[], keep: (item: UploadItem) => boolean) =>
  items.filter(keep).map((item) => item.id);

function RemoveAll({ run }: { run: UploadRun }) {
  const t = useTranslator();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)}>
        <Trash2 />
        {t('upload.removeAll')}
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={t('upload.removeAllTitle')}
        text={t('upload.removeAllText')}
      >
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={() => setOpen(false)}>{t('words.cancel')}</Button>
          <Button look="danger" onClick={() => run.remove(idsOf(run.queue.list(), () => true))}>
            {t('upload.removeAll')}
          </Button>
        </div>
      </Dialog>
    </>
  );
}

function ForAll({ run, view }: { run: UploadRun; view: UploadView }) {
  const t = useTranslator();
  const { states } = view.totals;
  const isMoving = states.waiting + states.hashing + states.sending + states.stalled > 0;
  return (
    <div className="flex flex-wrap gap-2">
      {isMoving && (
        <Button
          size="sm"
          onClick={() =>
            pauseFiles(
              run,
              idsOf(view.items, (item) => !isFinished(item)),
            )
          }
        >
          <Pause />
          {t('upload.pauseAll')}
        </Button>
      )}
      {states.paused > 0 && (
        <Button
          size="sm"
          onClick={() =>
            resumeFiles(
              run,
              idsOf(view.items, (item) => item.state === 'paused'),
            )
          }
        >
          <Play />
          {t('upload.resumeAll')}
        </Button>
      )}
      {states.failed > 0 && (
        <Button
          size="sm"
          onClick={() =>
            resumeFiles(
              run,
              idsOf(view.items, (item) => item.state === 'failed'),
            )
          }
        >
          <RotateCw />
          {t('upload.retryAll')}
        </Button>
      )}
      <RemoveAll run={run} />
    </div>
  );
}

/** The upload as a whole: what it is doing, how far it is, how fast, and what can be done with all of it. */
export function QueueSummary({ run, view }: { run: UploadRun; view: UploadView }) {
  const t = useTranslator();
  const { totals, bytesPerSecond, msLeft } = view;
  const phase = phaseOf(view);
  const headline = t(`upload.phase.${phase}`, { files: totals.files });
  const percent = totals.bytes === 0 ? 100 : Math.floor((totals.sentBytes / totals.bytes) * 100);
  const tenth = String(Math.floor(percent / 10) * 10);
  const spoken = useSpoken(
    phase === 'sending' ? `${headline} ${t('upload.percent', { percent: tenth })}` : headline,
    !BRISK.has(phase),
  );
  const figures = [
    t('upload.ofBytes', { sent: formatSize(totals.sentBytes), total: formatSize(totals.bytes) }),
    bytesPerSecond !== null && t('upload.speed', { size: formatSize(bytesPerSecond) }),
    msLeft !== null && t('upload.left', { time: formatDuration(Math.max(1_000, msLeft)) }),
    totals.storedBytes > 0 && t('upload.alreadyStored', { size: formatSize(totals.storedBytes) }),
  ].filter(Boolean);
  return (
    <div className="flex flex-col gap-2.5 border-b border-line px-4 py-3">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2">
        <div className="min-w-0">
          <p className="font-semibold">{headline}</p>
          <p className="tabular text-sm text-muted">{figures.join(' · ')}</p>
        </div>
        <ForAll run={run} view={view} />
      </div>
      <progress
        aria-label={t('upload.progress')}
        max={100}
        value={percent}
        className={`block h-2 w-full appearance-none overflow-hidden rounded-full bg-hover [&::-webkit-progress-bar]:bg-hover ${phase === 'complete' ? '[&::-moz-progress-bar]:bg-ok [&::-webkit-progress-value]:bg-ok' : '[&::-moz-progress-bar]:bg-accent [&::-webkit-progress-value]:bg-accent'}`}
      />
      <output className="sr-only">{spoken}</output>
    </div>
  );
}

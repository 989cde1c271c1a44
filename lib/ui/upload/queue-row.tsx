'use client';

import {
  Check,
  CircleAlert,
  CircleCheck,
  CirclePause,
  Clock,
  FileQuestion,
  Fingerprint,
  type LucideIcon,
  Pause,
  Play,
  RotateCw,
  Upload,
  WifiOff,
  X,
} from 'lucide-react';
import { type MouseEvent, memo } from 'react';
import { visibleText } from '#lib/base/visible-text.ts';
import { formatSize } from '../format.ts';
import { Button } from '../kit/button.tsx';
import { useTranslator } from '../reader.tsx';
import { pauseFiles, resumeFiles } from './hold-files.ts';
import { isFinished, overlapOf, type UploadItem, type UploadState } from './upload-item.ts';
import type { UploadRun } from './upload-run.ts';

const ICONS: Record<UploadState, LucideIcon> = {
  waiting: Clock,
  hashing: Fingerprint,
  sending: Upload,
  checking: Fingerprint,
  paused: CirclePause,
  stalled: WifiOff,
  missing: FileQuestion,
  refused: CircleAlert,
  failed: CircleAlert,
  stored: CircleCheck,
  done: Check,
  ready: Check,
};
const TONES: Partial<Record<UploadState, string>> = {
  refused: 'text-bad',
  failed: 'text-bad',
  missing: 'text-warn',
  stalled: 'text-warn',
  done: 'text-ok',
  stored: 'text-ok',
  ready: 'text-ok',
};
const PAUSABLE = new Set<UploadState>(['waiting', 'hashing', 'sending', 'stalled']);

/** How much of a file is hashed or sent, 0 to 1; null when there is nothing to measure. */
function shareOf({ state, sizeBytes, hashedBytes, sentBytes, step }: UploadItem): number | null {
  if (step === 'finished' || sizeBytes === 0) return null;
  if (state === 'hashing') return hashedBytes / sizeBytes;
  return sentBytes > 0 ? Math.min(1, sentBytes / sizeBytes) : null;
}

/** What can be done to the sending of a file now: one button that stays where it is while what it does changes. */
function sendingAction(item: UploadItem) {
  if (item.state === 'paused') return { label: 'upload.resume', Icon: Play, act: resumeFiles } as const;
  if (item.state === 'failed') return { label: 'upload.retry', Icon: RotateCw, act: resumeFiles } as const;
  const isPausable = !isFinished(item) && PAUSABLE.has(item.state);
  return isPausable ? ({ label: 'upload.pause', Icon: Pause, act: pauseFiles } as const) : null;
}

/** The row of the next file takes the keyboard from one that goes. */
function leaveRow(button: HTMLElement): void {
  const row = button.closest('li');
  const next = row?.nextElementSibling ?? row?.previousElementSibling;
  next?.querySelector<HTMLElement>('button:last-of-type')?.focus();
}

function Actions({ item, name, run }: { item: UploadItem; name: string; run: UploadRun }) {
  const t = useTranslator();
  const sending = sendingAction(item);
  const button = (label: string, Icon: LucideIcon, onClick: (event: MouseEvent<HTMLElement>) => void) => (
    <Button look="quiet" size="icon" aria-label={label} title={label} onClick={onClick}>
      <Icon />
    </Button>
  );
  return (
    <div className="flex shrink-0">
      {sending && button(t(sending.label, { name }), sending.Icon, () => sending.act(run, [item.id]))}
      {button(t('upload.remove', { name }), X, (event) => {
        leaveRow(event.currentTarget);
        run.remove([item.id]);
      })}
    </div>
  );
}

/** One file of an upload: its path, its state in words, how far it is, and what can be done with it. */
export const QueueRow = memo(function QueueRow({ item, run }: { item: UploadItem; run: UploadRun }) {
  const t = useTranslator();
  const { state, sizeBytes, sentBytes, hashedBytes, reason } = item;
  const path = visibleText(item.path);
  const share = shareOf(item);
  const Icon = ICONS[state];
  const done = state === 'hashing' ? hashedBytes : sentBytes;
  const overlap = overlapOf(item);
  const size = formatSize(sizeBytes);
  const bytes = share === null ? size : t('upload.ofBytes', { sent: formatSize(done), total: size });
  return (
    <div className="flex h-full items-center gap-3 border-b border-line pr-1.5 pl-4">
      <Icon className={`size-4 shrink-0 ${TONES[state] ?? 'text-muted'}`} aria-hidden="true" />
      <div className="flex min-w-0 flex-1 flex-col gap-0.5">
        <p className="truncate font-mono text-sm" title={path}>
          {path}
        </p>
        <p className="flex min-w-0 items-baseline gap-2 text-sm text-muted">
          <span className={`min-w-0 truncate ${TONES[state] ?? ''}`} title={reason || undefined}>
            {t(`upload.states.${state}`)}
            {reason !== '' && `: ${visibleText(reason)}`}
          </span>
          {overlap !== 'none' && (
            <span className={`shrink-0 ${overlap === 'replaces' ? 'text-info' : ''}`}>
              <span className="max-md:hidden">· {t(`upload.overlap.${overlap}`)}</span>
              <span className="md:hidden">{t(`upload.overlapShort.${overlap}`)}</span>
            </span>
          )}
          <span className="tabular ml-auto shrink-0 text-xs whitespace-nowrap">{bytes}</span>
        </p>
        {share !== null && (
          <div className="h-1 overflow-hidden rounded-full bg-hover" aria-hidden="true">
            <div
              className={`h-full rounded-full ${state === 'sending' ? 'bg-accent' : 'bg-line-strong'}`}
              style={{ width: `${share * 100}%` }}
            />
          </div>
        )}
      </div>
      <Actions item={item} name={path} run={run} />
    </div>
  );
});

'use client';

import { useCallback, useEffect, useState } from 'react';
import { toast } from 'sonner';
import { visibleText } from '#lib/base/visible-text.ts';
import { fileAddress } from '../addresses.ts';
import { formatSize } from '../format.ts';
import { Panel } from '../kit/panel.tsx';
import { useTranslator } from '../reader.tsx';
import { CommitPanel } from './commit-panel.tsx';
import { DropCover, DropZone, PickButtons } from './drop-zone.tsx';
import { takeHandedOver } from './hand-over.ts';
import { QueueList } from './queue-list.tsx';
import { QueueSummary } from './queue-summary.tsx';
import { UploadNotices } from './upload-notices.tsx';
import type { UploadPlace } from './upload-place.ts';
import type { UploadRun } from './upload-run.ts';
import type { UploadView } from './upload-view.ts';
import { useFileDrop } from './use-file-drop.ts';
import { useUploadRun } from './use-upload-run.ts';
import { type Chosen, MAX_FILES } from './walk-drop.ts';

/** Takes chosen files into the queue, and says what was left out of them. */
function useTake(run: UploadRun | undefined) {
  const t = useTranslator();
  const [reading, setReading] = useState(0);
  const take = useCallback(
    async (coming: Promise<Chosen>) => {
      setReading((count) => count + 1);
      // a folder that cannot be walked gives nothing
      const chosen = await coming.catch(() => ({ files: [], junk: 0, unreadable: 1, isCut: false }));
      const changed = chosen.files.length > 0 && (await run?.add(chosen.files));
      setReading((count) => count - 1);
      if (changed) toast.warning(t('upload.changed', { count: changed }));
      if (chosen.files.length + chosen.junk + chosen.unreadable === 0) toast.info(t('upload.nothing'));
      if (chosen.isCut) toast.warning(t('upload.cut', { count: MAX_FILES }));
      if (chosen.junk) toast.info(t('upload.junk', { count: chosen.junk }));
      if (chosen.unreadable) toast.warning(t('upload.unreadable', { count: chosen.unreadable }));
    },
    [run, t],
  );
  return { take: run ? take : null, isReading: reading > 0 };
}

/** Walking through a large folder takes a while. */
function ReadingLine({ isReading }: { isReading: boolean }) {
  const t = useTranslator();
  return (
    <output className="text-center text-sm text-muted empty:hidden">
      {isReading && t('upload.reading')}
    </output>
  );
}

function FlatChoice({ run, view }: { run: UploadRun; view: UploadView }) {
  const t = useTranslator();
  if (view.top === null) return null;
  return (
    <label className="flex items-center gap-2 border-b border-line px-4 py-2 text-sm">
      <input
        type="checkbox"
        checked={view.isFlat}
        onChange={(event) => run.setFlat(event.target.checked)}
        className="size-4 shrink-0 accent-(--ring)"
      />
      <span className="min-w-0 break-words">{t('upload.flat', { name: visibleText(view.top) })}</span>
    </label>
  );
}

/** How full the quota will be: said before it bites. */
function RoomLine({ view }: { view: UploadView }) {
  const t = useTranslator();
  if (!view.room) return null;
  const { usedBytes, limitBytes, what, name } = view.room;
  const { bytes, storedBytes } = view.totals;
  const isTight = usedBytes + bytes > limitBytes * 0.9;
  return (
    <p
      className={`border-b border-line px-4 py-2 text-sm break-words ${isTight ? 'text-warn' : 'text-muted'}`}
    >
      {t(`upload.room.${what}`, { name: visibleText(name) })}{' '}
      {t('upload.roomUsed', {
        used: formatSize(usedBytes),
        limit: formatSize(limitBytes),
        more: formatSize(bytes - storedBytes),
      })}
    </p>
  );
}

/** Everything of an upload on one page: choosing, what becomes of each file, and the commit. */
export function UploadBoard({ place }: { place: UploadPlace }) {
  const upload = useUploadRun(place);
  const { take, isReading } = useTake(upload?.run);
  const isOver = useFileDrop(take, { paste: true });
  const address = fileAddress(place.repo, 'upload', place.branch, place.folder);
  useEffect(() => {
    const chosen = take && takeHandedOver(address);
    if (chosen) void take(chosen);
  }, [take, address]);
  if (!upload?.view.isLoaded || !take) {
    const isElsewhere = upload?.view.isElsewhere === true;
    return (
      <div className="min-h-72" aria-busy={!isElsewhere}>
        {isElsewhere && <UploadNotices run={upload.run} view={upload.view} onChosen={() => {}} />}
      </div>
    );
  }
  const { run, view } = upload;
  if (view.items.length === 0)
    return (
      <div className="flex flex-col gap-3">
        <DropZone onChosen={take} isOver={isOver} />
        <ReadingLine isReading={isReading} />
      </div>
    );
  return (
    <div className="flex flex-col gap-5">
      <ReadingLine isReading={isReading} />
      <UploadNotices run={run} view={view} onChosen={take} />
      <Panel className="overflow-hidden">
        <QueueSummary run={run} view={view} />
        <FlatChoice run={run} view={view} />
        <RoomLine view={view} />
        <QueueList view={view} run={run} />
        <div className="flex justify-start border-t border-line px-4 py-2.5">
          <PickButtons onChosen={take} isMore size="sm" />
        </div>
      </Panel>
      <CommitPanel run={run} view={view} />
      {isOver && <DropCover folder={place.folder} />}
    </div>
  );
}

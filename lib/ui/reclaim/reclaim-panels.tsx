'use client';

import { Recycle, Search } from 'lucide-react';
import { useState } from 'react';
import { formatAgo, formatSize } from '../format.ts';
import { Button } from '../kit/button.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { Notice, Panel, PanelHeader } from '../kit/panel.tsx';
import { useLanguage, useTranslator } from '../reader.tsx';
import { phaseText } from './phase-text.ts';
import { ReasonTable } from './reason-table.tsx';
import { RunList } from './run-list.tsx';
import { latestFinding, type RunLine, reclaimableOf, type StorageLine } from './storage-line.ts';
import { useStorage } from './use-storage.ts';

/** What the store holds, what can be reclaimed by reason, and what runs did; follows a run while it is at work. */
export function ReclaimPanels({ initial, nowMs }: { initial: StorageLine; nowMs: number }) {
  const t = useTranslator();
  const { storage, order, isBusy } = useStorage(initial);
  const phase = storage.runs[0]?.state === 'running' ? storage.runs[0].phase : null;
  return (
    <>
      <StoredPanel storage={storage} />
      <Panel>
        <PanelHeader title={t('reclaim.reclaimable')}>
          <Orders storage={storage} order={order} isBusy={isBusy} />
        </PanelHeader>
        <p className="px-4 pt-3 text-muted">
          {t('reclaim.text', { days: storage.reflogDays, hours: storage.graceHours })}{' '}
          {t(storage.isScheduled ? 'reclaim.nightly' : 'reclaim.notNightly')}
        </p>
        {isBusy && (
          <output className="block px-4 pt-2 text-accent-text">
            {t('reclaim.state.running')}
            {phase && ` · ${phaseText(t, phase)}`}
          </output>
        )}
        <Finding run={latestFinding(storage)} nowMs={nowMs} />
      </Panel>
      <Panel>
        <PanelHeader title={t('reclaim.runs')} />
        <RunList runs={storage.runs} nowMs={nowMs} />
      </Panel>
    </>
  );
}

function StoredPanel({ storage }: { storage: StorageLine }) {
  const t = useTranslator();
  const objects = (bytes: number, count: number) =>
    t('reclaim.inStoreValue', { size: formatSize(bytes), count });
  const lines = [
    [t('reclaim.inStore'), objects(storage.storedBytes, storage.storedObjects)],
    [t('reclaim.leaving'), objects(storage.leavingBytes, storage.leavingObjects)],
    [t('reclaim.inDatabase'), formatSize(storage.databaseBytes)],
  ] as const;
  return (
    <Panel>
      <PanelHeader title={t('reclaim.stored')} />
      <dl className="grid grid-cols-1 gap-x-6 gap-y-1 p-4 sm:grid-cols-[max-content_1fr]">
        {lines.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="tabular max-sm:mb-1.5">{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

function Finding({ run, nowMs }: { run: RunLine | undefined; nowMs: number }) {
  const [t, language] = [useTranslator(), useLanguage()];
  if (run === undefined) return <p className="p-4 text-muted">{t('reclaim.never')}</p>;
  return (
    <div className="flex flex-col gap-3 p-4">
      {run.message !== '' && (
        <Notice tone="warn" title={t(run.isDry ? 'reclaim.wouldBrake' : 'reclaim.braked')}>
          {run.message}
        </Notice>
      )}
      <ReasonTable lines={reclaimableOf(run)} />
      <p className="text-sm text-muted">
        {t('reclaim.asOf', { when: formatAgo(new Date(run.startedAt), nowMs, language) })}
      </p>
    </div>
  );
}

function Orders(props: {
  storage: StorageLine;
  order: (run: { isDry: boolean; isForced: boolean }) => Promise<void>;
  isBusy: boolean;
}) {
  const t = useTranslator();
  const [asks, setAsks] = useState(false);
  const run = latestFinding(props.storage);
  const isForced = (run?.message ?? '') !== '';
  const size = formatSize(run ? reclaimableOf(run).reduce((sum, line) => sum + line.now, 0) : 0);
  const confirm = async () => {
    setAsks(false);
    await props.order({ isDry: false, isForced });
  };
  return (
    <div className="flex flex-wrap gap-2">
      <Button
        size="sm"
        disabled={props.isBusy}
        onClick={() => void props.order({ isDry: true, isForced: false })}
      >
        <Search />
        {t('reclaim.look')}
      </Button>
      <Button size="sm" look="danger" disabled={props.isBusy} onClick={() => setAsks(true)}>
        <Recycle />
        {t(isForced ? 'reclaim.runForced' : 'reclaim.run')}
      </Button>
      <Dialog
        open={asks}
        onOpenChange={setAsks}
        title={t('reclaim.confirmTitle')}
        text={isForced ? t('reclaim.forceText') : t('reclaim.confirmText', { size })}
      >
        <div className="flex justify-end gap-2">
          <Button onClick={() => setAsks(false)}>{t('words.cancel')}</Button>
          <Button look="danger" onClick={() => void confirm()}>
            {t(isForced ? 'reclaim.runForced' : 'reclaim.run')}
          </Button>
        </div>
      </Dialog>
    </div>
  );
}

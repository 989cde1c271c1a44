'use client';

import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslator } from '../reader.tsx';
import { QueueRow } from './queue-row.tsx';
import { isFinished, overlapOf, type UploadItem } from './upload-item.ts';
import type { UploadRun } from './upload-run.ts';
import type { UploadView } from './upload-view.ts';

const ROW_PX = 64;
/** Rows kept beyond what is seen, so that the keyboard always has a next one to go to. */
const OVERSCAN = 6;
/** With fewer files than this there is nothing to sift. */
const SIFT_FROM = 12;

type Sieve = 'all' | 'open' | 'problems' | 'replaces';
const PROBLEMS = new Set(['missing', 'refused', 'failed']);
const SIEVES: Record<Sieve, (item: UploadItem) => boolean> = {
  all: () => true,
  open: (item) => !isFinished(item),
  problems: (item) => PROBLEMS.has(item.state),
  replaces: (item) => overlapOf(item) === 'replaces',
};

function useWindow(count: number) {
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [height, setHeight] = useState(ROW_PX * 8);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const watch = new ResizeObserver(() => setHeight(element.clientHeight));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  const first = Math.max(0, Math.min(Math.floor(top / ROW_PX), count) - OVERSCAN);
  const last = Math.min(count, Math.ceil((top + height) / ROW_PX) + OVERSCAN);
  return { box, first, last, onScroll: () => setTop(box.current?.scrollTop ?? 0) };
}

/** The files of an upload. Of ten thousand only those in sight are in the page. */
export function QueueList({ view, run }: { view: UploadView; run: UploadRun }) {
  const t = useTranslator();
  const { items, totals } = view;
  const [sieve, setSieve] = useState<Sieve>('all');
  const shown = useMemo(() => (sieve === 'all' ? items : items.filter(SIEVES[sieve])), [items, sieve]);
  const { box, first, last, onScroll } = useWindow(shown.length);
  const choice = (value: Sieve, label: string) => (
    <button
      type="button"
      aria-pressed={sieve === value}
      onClick={() => setSieve(value)}
      className="h-7 rounded-md px-2 text-sm text-muted hover:text-fg aria-pressed:bg-hover aria-pressed:font-medium aria-pressed:text-fg max-md:h-9"
    >
      {label}
    </button>
  );
  return (
    <>
      {items.length >= SIFT_FROM && (
        <fieldset
          aria-label={t('upload.show')}
          className="flex flex-wrap gap-1 border-b border-line px-3 py-1.5"
        >
          {choice('all', `${t('upload.showAll')} ${items.length}`)}
          {choice('open', t('upload.showOpen'))}
          {choice('problems', t('upload.showProblems'))}
          {totals.overlaps.replaces > 0 &&
            choice('replaces', `${t('upload.showReplaces')} ${totals.overlaps.replaces}`)}
        </fieldset>
      )}
      <section
        aria-label={t('upload.list')}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reached by the keyboard
        tabIndex={0}
        ref={box}
        onScroll={onScroll}
        className="max-h-[min(60dvh,36rem)] overflow-y-auto"
      >
        <ul className="relative" style={{ height: shown.length * ROW_PX }}>
          {shown.slice(first, last).map((item, i) => (
            <li
              key={item.id}
              aria-setsize={shown.length}
              aria-posinset={first + i + 1}
              className="absolute inset-x-0"
              style={{ top: (first + i) * ROW_PX, height: ROW_PX }}
            >
              <QueueRow item={item} run={run} />
            </li>
          ))}
        </ul>
        {shown.length === 0 && <p className="px-4 py-6 text-muted">{t('upload.noneOfThese')}</p>}
      </section>
    </>
  );
}

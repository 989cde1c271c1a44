'use client';

import { formatSize } from '../format.ts';
import { Chip } from '../kit/chip.tsx';
import { Ago } from '../kit/values.tsx';
import { useLanguage, useTranslator } from '../reader.tsx';
import type { RunLine } from './storage-line.ts';

const TONES = { running: 'info', done: 'ok', stopped: 'warn', refused: 'muted', failed: 'bad' } as const;

/** The latest runs, newest first: who asked, what came of it. */
export function RunList({ runs, nowMs }: { runs: readonly RunLine[]; nowMs: number }) {
  const t = useTranslator();
  if (runs.length === 0) return <p className="p-4 text-muted">{t('reclaim.noRuns')}</p>;
  return (
    <ul className="divide-y divide-line">
      {runs.map((run) => (
        <RunRow key={run.id} run={run} nowMs={nowMs} />
      ))}
    </ul>
  );
}

function RunRow({ run, nowMs }: { run: RunLine; nowMs: number }) {
  const [t, language] = [useTranslator(), useLanguage()];
  const { result } = run;
  const found = result?.found.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
  const what = run.isDry
    ? t('reclaim.found', { size: formatSize(found) })
    : t('reclaim.freed', {
        store: formatSize(result?.freedBytes ?? 0),
        database: formatSize(result?.freedGitBytes ?? 0),
      });
  const skipped = result?.skipped.length ?? 0;
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 gap-y-1 px-4 py-2">
      <span className="flex items-center gap-2">
        <span className="font-medium">{t(run.isDry ? 'reclaim.dry' : 'reclaim.real')}</span>
        <Chip tone={TONES[run.state]}>{t(`reclaim.state.${run.state}`)}</Chip>
      </span>
      <span className="min-w-0 flex-1 basis-60 break-words">
        {result && run.state === 'done' && what}
        {skipped > 0 && ` · ${t('reclaim.skipped', { count: skipped })}`}
        {run.message !== '' && <span className="block text-sm text-muted">{run.message}</span>}
      </span>
      <span className="text-sm text-muted">
        {run.userName ?? t(`reclaim.cause.${run.cause}`)}
        {' · '}
        <Ago
          date={new Date(run.startedAt)}
          nowMs={Math.max(nowMs, Date.parse(run.startedAt))}
          language={language}
        />
      </span>
    </li>
  );
}

'use client';

import { useEffect, useState } from 'react';
import { formatDuration, formatExact } from '../format.ts';
import { useTranslator } from '../reader.tsx';
import { type Stage, type StateEvent, stagesOf } from '../view-models/timeline.ts';
import { StateBadge } from './state-badge.tsx';

const TICK_MS = 500;
const STILL = new Set(['ready', 'stopped', 'failed']);

/** The stages that an endpoint went through in its present life, with how long each took. */
export function Timeline({ events }: { events: readonly StateEvent[] }) {
  const t = useTranslator();
  const stages = stagesOf(events);
  return (
    <ol className="divide-y divide-line px-4">
      {stages.map((stage) => (
        <li key={stage.id} className="flex items-baseline justify-between gap-4 py-2">
          <div className="min-w-0">
            <StateBadge state={stage.state} t={t} isPast={stage.durationMs !== null} />
            {stage.message && <p className="pl-4.5 text-sm break-words text-muted">{stage.message}</p>}
          </div>
          <Duration stage={stage} />
        </li>
      ))}
    </ol>
  );
}

function Duration({ stage }: { stage: Stage }) {
  const isRunning = stage.durationMs === null && !STILL.has(stage.state);
  const [nowMs, setNowMs] = useState(stage.atMs);
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => setNowMs(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [isRunning]);
  const shown = stage.durationMs ?? (isRunning ? nowMs - stage.atMs : null);
  return (
    <span className="tabular shrink-0 text-sm text-muted" title={formatExact(new Date(stage.atMs))}>
      {shown === null ? formatExact(new Date(stage.atMs)).slice(11, 19) : formatDuration(shown)}
    </span>
  );
}

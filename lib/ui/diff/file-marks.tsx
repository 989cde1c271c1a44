'use client';

import { ArrowRight, Dot, FileCog, Minus, Plus } from 'lucide-react';
import type { ChangedFile, ChangeKind } from '#lib/repos/diff/types.ts';
import { useTranslator } from '../reader.tsx';

const MARKS = {
  added: { Icon: Plus, tone: 'bg-ok-soft text-ok' },
  removed: { Icon: Minus, tone: 'bg-bad-soft text-bad' },
  modified: { Icon: Dot, tone: 'bg-warn-soft text-warn' },
  renamed: { Icon: ArrowRight, tone: 'bg-info-soft text-info' },
  mode: { Icon: FileCog, tone: 'bg-hover text-muted' },
} as const;

/** What happened to a file, as a small sign with its word for readers of text. */
export function KindMark({ kind }: { kind: ChangeKind }) {
  const t = useTranslator();
  const words = {
    added: t('diff.kinds.added'),
    removed: t('diff.kinds.removed'),
    modified: t('diff.kinds.modified'),
    renamed: t('diff.kinds.renamed'),
    mode: t('diff.kinds.mode'),
  };
  const { Icon, tone } = MARKS[kind];
  return (
    <span
      title={words[kind]}
      className={`inline-flex size-4 shrink-0 items-center justify-center rounded ${tone}`}
    >
      <Icon className="size-3" aria-hidden="true" />
      <span className="sr-only">{words[kind]}</span>
    </span>
  );
}

/** Lines added and removed, where they were counted. */
export function LineCounts({ file: { additions, deletions } }: { file: ChangedFile }) {
  if (additions === null || deletions === null) return null;
  return (
    <span className="tabular shrink-0 font-mono text-xs whitespace-nowrap">
      <span className="text-ok">+{additions}</span> <span className="text-bad">−{deletions}</span>
    </span>
  );
}

'use client';

import { useState } from 'react';
import type { TokenChange, TokenDiff, VocabularyDiff } from '#lib/catalog/diff/diff-vocabulary.ts';
import { Button } from '../../kit/button.tsx';
import { useTranslator } from '../../reader.tsx';
import { KindMark } from '../file-marks.tsx';
import { WordsLine } from '../words-line.tsx';
import { ValueTable } from './value-table.tsx';

const STEP = 60;

/** How a vocabulary changed: numbers first, then the tokens themselves, merges and settings. */
export function VocabularyPanel({ diff }: { diff: VocabularyDiff }) {
  const t = useTranslator();
  const { tokens, added, merges, settings } = diff;
  const isSame =
    [tokens, added].every(({ counts }) => counts.added + counts.removed + counts.changed === 0) &&
    merges.counts.added + merges.counts.removed + settings.changes.length === 0;
  if (isSame) return <WordsLine>{t('diff.sameVocabulary')}</WordsLine>;
  return (
    <div className="divide-y divide-line">
      <Tokens title={t('diff.vocabulary')} diff={tokens} />
      <Tokens title={t('diff.addedTokens')} diff={added} />
      <Merges merges={merges} />
      {settings.changes.length > 0 && (
        <section>
          <h4 className="px-4 pt-3 pb-1 font-medium">{t('diff.settings')}</h4>
          <ValueTable diff={settings} empty="" />
        </section>
      )}
    </div>
  );
}

function Counts({ counts }: { counts: { added: number; removed: number; changed?: number } }) {
  const t = useTranslator();
  return (
    <span className="flex flex-wrap gap-x-3 text-sm">
      <span className="text-ok">{t('diff.countAdded', { count: counts.added })}</span>
      <span className="text-bad">{t('diff.countRemoved', { count: counts.removed })}</span>
      {counts.changed !== undefined && (
        <span className="text-warn">{t('diff.countMoved', { count: counts.changed })}</span>
      )}
    </span>
  );
}

const kindOf = (change: TokenChange) =>
  change.before === null ? 'added' : change.after === null ? 'removed' : 'modified';

function Tokens({ title, diff }: { title: string; diff: TokenDiff }) {
  const t = useTranslator();
  const [limit, setLimit] = useState(STEP);
  const { counts, first } = diff;
  const total = counts.added + counts.removed + counts.changed;
  if (total === 0) return null;
  return (
    <section className="px-4 py-3">
      <h4 className="flex flex-wrap items-baseline gap-x-4 gap-y-1">
        <span className="font-medium">{title}</span>
        <span className="tabular text-sm text-muted">
          {t('diff.tokensFromTo', { before: diff.before, after: diff.after })}
        </span>
        <Counts counts={counts} />
      </h4>
      <ul className="mt-2 flex flex-wrap gap-1.5 font-mono text-xs">
        {first.slice(0, limit).map((change) => (
          <li
            key={`${change.token} ${change.before}`}
            className="inline-flex max-w-full items-center gap-1.5 rounded-md border border-line px-1.5 py-0.5"
          >
            <KindMark kind={kindOf(change)} />
            <span className="truncate whitespace-pre">{change.token}</span>
            <span className="tabular text-muted">
              {change.before !== null && change.after !== null
                ? `${change.before} → ${change.after}`
                : (change.after ?? change.before)}
            </span>
          </li>
        ))}
      </ul>
      <More
        shown={Math.min(limit, first.length)}
        total={total}
        canShow={limit < first.length}
        onMore={() => setLimit((was) => was + 240)}
      />
    </section>
  );
}

function More(props: { shown: number; total: number; canShow: boolean; onMore: () => void }) {
  const t = useTranslator();
  if (props.shown >= props.total) return null;
  return (
    <p className="mt-2 flex items-center gap-3 text-sm text-muted">
      {t('diff.shownOf', { shown: props.shown, total: props.total })}
      {props.canShow && (
        <Button size="sm" onClick={props.onMore}>
          {t('diff.showMore')}
        </Button>
      )}
    </p>
  );
}

function Merges({ merges }: { merges: VocabularyDiff['merges'] }) {
  const t = useTranslator();
  const [limit, setLimit] = useState(STEP);
  const total = merges.counts.added + merges.counts.removed;
  if (total === 0) return null;
  return (
    <section className="px-4 py-3">
      <h4 className="flex flex-wrap items-baseline gap-x-4 gap-y-1">
        <span className="font-medium">{t('diff.merges')}</span>
        <span className="tabular text-sm text-muted">
          {t('diff.tokensFromTo', { before: merges.before, after: merges.after })}
        </span>
        <Counts counts={merges.counts} />
      </h4>
      <ul className="mt-2 flex flex-wrap gap-1.5 font-mono text-xs">
        {merges.first.slice(0, limit).map(({ merge, kind }) => (
          <li
            key={`${kind} ${merge}`}
            className="inline-flex max-w-full items-center gap-1.5 rounded-md border border-line px-1.5 py-0.5"
          >
            <KindMark kind={kind} />
            <span className="truncate whitespace-pre">{merge}</span>
          </li>
        ))}
      </ul>
      <More
        shown={Math.min(limit, merges.first.length)}
        total={total}
        canShow={limit < merges.first.length}
        onMore={() => setLimit((was) => was + 240)}
      />
    </section>
  );
}

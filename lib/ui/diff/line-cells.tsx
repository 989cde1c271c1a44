'use client';

import { Plus } from 'lucide-react';
import { Fragment } from 'react';
import type { DiffLine } from '#lib/repos/diff/types.ts';
import { cn } from '../cn.ts';
import { useTranslator } from '../reader.tsx';
import { type LineSlots, placeOf } from './line-place.ts';

const TONE = { context: '', added: 'bg-ok-soft', removed: 'bg-bad-soft' } as const;
const MARKED = {
  context: '',
  added: 'rounded-xs bg-[color-mix(in_oklab,var(--ok)_30%,transparent)]',
  removed: 'rounded-xs bg-[color-mix(in_oklab,var(--bad)_28%,transparent)]',
} as const;
const SIGN = { context: ' ', added: '+', removed: '−' } as const;

/** The number of a line on one side, linked to nothing: what hangs on a line is beside its text. */
export function NumberCell({ value, kind }: { value: number | null; kind: DiffLine['kind'] }) {
  return (
    <td
      className={cn(
        'tabular w-[1%] min-w-10 px-2 text-right align-top text-muted select-none max-md:min-w-8 max-md:px-1',
        TONE[kind],
      )}
    >
      {value}
    </td>
  );
}

/** The text with the parts that changed marked. */
function Text({ line: { text, ranges = [], kind } }: { line: DiffLine }) {
  if (ranges.length === 0) return text === '' ? '\u00a0' : text;
  return (
    <>
      {ranges.map(([from, to], i) => (
        <Fragment key={from}>
          {text.slice(ranges[i - 1]?.[1] ?? 0, from)}
          <mark className={cn('text-inherit', MARKED[kind])}>{text.slice(from, to)}</mark>
        </Fragment>
      ))}
      {text.slice(ranges.at(-1)?.[1])}
    </>
  );
}

/** The text of a line with its sign, and the button of what can be done with it. */
export function TextCell({
  line,
  path,
  onLineAction,
  lineActionLabel = '',
}: { line: DiffLine; path: string } & LineSlots) {
  const t = useTranslator();
  const number = line.newNumber ?? line.oldNumber ?? 0;
  return (
    <td className={cn('group/line relative pr-3 align-top', TONE[line.kind])}>
      {onLineAction && (
        <button
          type="button"
          onClick={() => onLineAction(placeOf(path, line))}
          aria-label={`${lineActionLabel} ${number}`}
          title={lineActionLabel}
          className="absolute top-0 -left-2.5 z-10 inline-flex size-5 items-center justify-center rounded-md bg-accent text-on-accent opacity-0 group-hover/line:opacity-100 focus-visible:opacity-100 pointer-coarse:opacity-60"
        >
          <Plus className="size-3.5" />
        </button>
      )}
      <div className="flex">
        <span className="w-5 shrink-0 text-center text-muted select-none">{SIGN[line.kind]}</span>
        <span className="min-w-0 break-words whitespace-pre-wrap [overflow-wrap:anywhere]">
          <Text line={line} />
          {line.isUnended && <span className="ml-2 text-muted select-none">{t('diff.noLineEnd')}</span>}
        </span>
      </div>
    </td>
  );
}

/** The empty half of a row whose line is on the other side only. */
export function EmptyCells() {
  return (
    <td colSpan={2} className="bg-sunken">
      <span className="sr-only">–</span>
    </td>
  );
}

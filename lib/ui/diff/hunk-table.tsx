'use client';

import { Fragment, type ReactNode } from 'react';
import { visibleText } from '#lib/base/visible-text.ts';
import type { DiffLine, Hunk } from '#lib/repos/diff/types.ts';
import { useTranslator } from '../reader.tsx';
import { EmptyCells, NumberCell, TextCell } from './line-cells.tsx';
import { type LineSlots, placeOf } from './line-place.ts';
import { pairLines } from './pair-lines.ts';
import type { DiffStyle } from './use-diff-style.ts';

type Props = LineSlots & { readonly path: string };

/** Hunks line by line, unified or side by side; whatever hangs on a line stands below it. */
export function HunkTable({ style, hunks, ...props }: Props & { style: DiffStyle; hunks: readonly Hunk[] }) {
  const t = useTranslator();
  return (
    <table className="w-full table-fixed border-collapse font-mono text-xs leading-5 [font-variant-ligatures:none]">
      <caption className="sr-only">{t('diff.changesOf', { path: visibleText(props.path) })}</caption>
      <colgroup>
        <col className="w-12 max-md:w-9" />
        {style === 'split' && <col />}
        <col className="w-12 max-md:w-9" />
        <col />
      </colgroup>
      <tbody>
        {hunks.map((hunk) => (
          <Fragment key={`${hunk.oldStart}:${hunk.newStart}`}>
            <HunkHead hunk={hunk} columns={style === 'split' ? 4 : 3} />
            {style === 'split' ? (
              <SplitRows {...props} hunk={hunk} />
            ) : (
              <UnifiedRows {...props} hunk={hunk} />
            )}
          </Fragment>
        ))}
      </tbody>
    </table>
  );
}

function HunkHead({ hunk, columns }: { hunk: Hunk; columns: number }) {
  const { oldStart, oldLines, newStart, newLines } = hunk;
  return (
    <tr className="bg-info-soft text-info select-none">
      <td colSpan={columns} className="px-3 py-0.5">
        {`@@ −${oldStart},${oldLines} +${newStart},${newLines} @@`}
      </td>
    </tr>
  );
}

function UnifiedRows({ hunk, ...slots }: Props & { hunk: Hunk }) {
  return hunk.lines.map((line) => (
    <Fragment key={`${line.oldNumber}:${line.newNumber}`}>
      <tr>
        <NumberCell value={line.oldNumber} kind={line.kind} />
        <NumberCell value={line.newNumber} kind={line.kind} />
        <TextCell line={line} {...slots} />
      </tr>
      <AfterRow columns={3} content={slots.renderAfterLine?.(placeOf(slots.path, line))} />
    </Fragment>
  ));
}

function SplitRows({ hunk, ...slots }: Props & { hunk: Hunk }) {
  const after = (line: DiffLine | null) => line && slots.renderAfterLine?.(placeOf(slots.path, line));
  return pairLines(hunk.lines).map(({ old, now }) => (
    <Fragment key={`${old?.oldNumber}:${now?.newNumber}`}>
      <tr>
        {old ? (
          <>
            <NumberCell value={old.oldNumber} kind={old.kind} />
            <TextCell line={old} {...slots} />
          </>
        ) : (
          <EmptyCells />
        )}
        {now ? (
          <>
            <NumberCell value={now.newNumber} kind={now.kind} />
            <TextCell line={now} {...slots} />
          </>
        ) : (
          <EmptyCells />
        )}
      </tr>
      <AfterRow columns={4} content={old && old !== now ? after(old) : null} />
      <AfterRow columns={4} content={after(now)} />
    </Fragment>
  ));
}

function AfterRow({ content, columns }: { content: ReactNode; columns: number }) {
  if (content === null || content === undefined || content === false) return null;
  return (
    <tr>
      <td colSpan={columns} className="border-y border-line bg-surface p-0 font-sans text-base">
        {content}
      </td>
    </tr>
  );
}

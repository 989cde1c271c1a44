import type { ReactNode } from 'react';
import { formatSize } from '../format.ts';
import { translator } from '../translator.ts';

/** A line of a table of what adds how much. */
export interface ShareRow {
  readonly key: string;
  readonly name: ReactNode;
  /** Further figures, one per column in between. */
  readonly figures: readonly string[];
  readonly bytes: number;
}

/** A table of things with the bytes that each adds, as a figure and as a bar. Long ones scroll in themselves. */
export async function ShareRows(props: {
  title: string;
  columns: readonly string[];
  bytesColumn: string;
  rows: readonly ShareRow[];
  /** What all rows come to. */
  total?: { readonly label: string; readonly bytes: number };
}) {
  const t = await translator();
  const figuresOf = (row: ShareRow) =>
    row.figures.flatMap((figure, i) => (figure === '' ? [] : [`${props.columns[i + 1]} ${figure}`]));
  const most = Math.max(1, ...props.rows.map((row) => row.bytes));
  return (
    <section aria-label={props.title} className="max-h-112 overflow-auto">
      <table className="w-full text-sm">
        <thead>
          <tr className="border-b border-line text-left text-muted">
            <th scope="col" className="px-4 py-2 font-normal">
              {props.columns[0]}
            </th>
            {props.columns.slice(1).map((column) => (
              <th key={column} scope="col" className="px-3 py-2 text-right font-normal max-md:hidden">
                {column}
              </th>
            ))}
            <th scope="col" className="px-4 py-2 text-right font-normal whitespace-nowrap">
              {props.bytesColumn}
            </th>
          </tr>
        </thead>
        <tbody className="divide-y divide-line">
          {props.rows.map((row) => (
            <tr key={row.key} className="hover:bg-hover">
              <th scope="row" className="min-w-0 px-4 py-2 text-left font-normal wrap-anywhere">
                {row.name}
                <span className="tabular block text-xs text-muted empty:hidden md:hidden">
                  {figuresOf(row).join(' · ')}
                </span>
              </th>
              {row.figures.map((figure, i) => (
                <td
                  key={props.columns[i + 1]}
                  className="tabular px-3 py-2 text-right whitespace-nowrap text-muted max-md:hidden"
                >
                  {figure}
                </td>
              ))}
              <td className="w-44 px-4 py-2 text-right max-md:w-28">
                <span className="tabular whitespace-nowrap" title={t('words.bytes', { count: row.bytes })}>
                  {formatSize(row.bytes)}
                </span>
                <span aria-hidden className="mt-1 block h-1 overflow-hidden rounded-full bg-sunken">
                  <span
                    className="ml-auto block h-full rounded-full bg-accent"
                    style={{ width: `${(row.bytes / most) * 100}%` }}
                  />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
        {props.total && (
          <tfoot className="sticky bottom-0 bg-surface font-semibold shadow-[inset_0_1px_0_var(--line)]">
            <tr>
              <th scope="row" className="px-4 py-2 text-left">
                {props.total.label}
              </th>
              <td colSpan={props.columns.length} className="tabular px-4 py-2 text-right whitespace-nowrap">
                <span title={t('words.bytes', { count: props.total.bytes })}>
                  {formatSize(props.total.bytes)}
                </span>
              </td>
            </tr>
          </tfoot>
        )}
      </table>
    </section>
  );
}

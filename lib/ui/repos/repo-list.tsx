import { Database, Download, Lock, Package } from 'lucide-react';
import Link from 'next/link';
import type { RepoType } from '#lib/repos/types.ts';
import { formatCount } from '../format.ts';
import { Ago } from '../kit/values.tsx';
import { readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { RepoRow } from '../view-models/repo-row.ts';

interface Props {
  readonly type: RepoType;
  readonly rows: readonly RepoRow[];
  readonly nowMs: number;
  /** Full names of repos with an endpoint that is ready. */
  readonly running?: ReadonlySet<string>;
}

/** Repos as rows: name, facts, age, downloads. The whole row is one link. */
export async function RepoList({ type, rows, nowMs, running }: Props) {
  const [t, { language }] = await Promise.all([translator(), readerWishes()]);
  const Icon = type === 'dataset' ? Database : Package;
  return (
    <ul className="divide-y divide-line">
      {rows.map((row) => (
        <li
          key={row.href}
          className="relative flex flex-wrap items-center gap-x-4 gap-y-0.5 px-4 py-2 hover:bg-hover"
        >
          <div className="flex min-w-0 flex-1 basis-64 flex-col">
            <div className="flex min-w-0 items-center gap-2">
              <Icon className="size-4 shrink-0 text-muted" aria-hidden="true" />
              <Link href={row.href} className="min-w-0 font-medium break-words after:absolute after:inset-0">
                <span className="text-muted">{row.namespace}/</span>
                {row.name}
              </Link>
              {row.isPrivate && (
                <Lock className="size-3.5 shrink-0 text-muted" aria-label={t('words.private')} />
              )}
              {running?.has(`${row.namespace}/${row.name}`) && (
                <span className="size-2 shrink-0 rounded-full bg-ok" title={t('catalog.running')}>
                  <span className="sr-only">{t('catalog.running')}</span>
                </span>
              )}
            </div>
            {row.facts.length > 0 && (
              <p className="truncate pl-6 text-sm text-muted">{row.facts.join(' · ')}</p>
            )}
          </div>
          <div className="flex items-center gap-4 text-sm text-muted max-md:w-full max-md:pl-6">
            {row.downloads > 0 && (
              <span
                className="tabular flex items-center gap-1"
                title={t('catalog.downloadsCount', { count: row.downloads })}
              >
                <Download className="size-3.5" aria-label={t('catalog.downloads')} />
                {formatCount(row.downloads, language)}
              </span>
            )}
            <Ago date={row.updatedAt} nowMs={nowMs} language={language} />
          </div>
        </li>
      ))}
    </ul>
  );
}

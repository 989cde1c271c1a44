import Link from 'next/link';
import type { ReactNode } from 'react';
import { visibleText } from '#lib/base/visible-text.ts';
import type { RepoStorage } from '#lib/repos/storage/read-storage.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { formatSize } from '../format.ts';
import { Chip } from '../kit/chip.tsx';
import { Panel, PanelHeader } from '../kit/panel.tsx';
import { Ago } from '../kit/values.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import { FileMap } from './file-map.tsx';
import { type ShareRow, ShareRows } from './share-rows.tsx';

type Report = NonNullable<RepoStorage['report']>;

/** A panel with a table and what its figures mean. */
export async function Section({
  title,
  text,
  children,
}: {
  title: string;
  text: string;
  children: ReactNode;
}) {
  return (
    <Panel className="overflow-hidden">
      <PanelHeader title={title} />
      <p className="max-w-prose px-4 pt-4 pb-3 text-muted">{text}</p>
      {children}
    </Panel>
  );
}

/** What each file adds, as a map and as a table. */
export async function FileTable({ report }: { report: Report }) {
  const t = await translator();
  const added = report.files.reduce((sum, file) => sum + file.addsBytes, report.moreFiles.addsBytes);
  const rows: ShareRow[] = report.files.map((file) => ({
    key: file.sha256,
    name:
      file.path === null ? (
        <span className="text-muted">{t('storage.noPath')}</span>
      ) : (
        <span className="font-mono text-xs">
          {visibleText(file.path)}
          {file.isInHead === false && (
            <Chip tone="muted" className="ml-2 font-sans text-xs leading-5">
              {t('storage.onlyHistory')}
            </Chip>
          )}
        </span>
      ),
    figures: [formatSize(file.sizeBytes), formatSize(file.storedBytes)],
    bytes: file.addsBytes,
  }));
  const rest: ShareRow[] = [
    {
      key: 'rest',
      name: t('storage.moreFiles', { count: report.moreFiles.count }),
      figures: [formatSize(report.moreFiles.logicalBytes), ''],
      bytes: report.moreFiles.addsBytes,
    },
    { key: 'together', name: t('storage.together'), figures: ['', ''], bytes: report.storedBytes - added },
  ].filter((row) => row.bytes > 0);
  return (
    <Section title={t('storage.filesTitle')} text={t('storage.filesText')}>
      <div className="px-4 pb-3 max-md:hidden">
        <FileMap report={report} />
      </div>
      <ShareRows
        title={t('storage.filesTitle')}
        columns={[t('storage.file'), t('storage.size'), t('storage.takes')]}
        bytesColumn={t('storage.adds')}
        rows={[...rows, ...rest]}
        total={{ label: t('storage.storedAll'), bytes: report.storedBytes }}
      />
    </Section>
  );
}

/** What each branch and tag adds; nothing where there is but one. */
export async function RefTable({ report }: { report: Report }) {
  const t = await translator();
  if (report.refs.length < 2) return null;
  const rows: ShareRow[] = report.refs.map(({ ref, fileCount, logicalBytes, addsBytes }) => ({
    key: ref,
    name: (
      <span className="font-mono text-xs">{visibleText(ref.replace(/^refs\/(?:heads|tags)\//, ''))}</span>
    ),
    figures: [String(fileCount), formatSize(logicalBytes)],
    bytes: addsBytes,
  }));
  const { unreachable } = report;
  const alone = rows.reduce((sum, { bytes }) => sum + bytes, unreachable.addsBytes);
  const several = { key: 'several', name: t('storage.severalRefs'), figures: ['', ''] };
  const none = { key: 'none', name: t('storage.unreachable'), figures: ['', ''] };
  rows.push({ ...several, bytes: report.storedBytes - alone });
  if (unreachable.addsBytes > 0) rows.push({ ...none, bytes: unreachable.addsBytes });
  return (
    <Section title={t('storage.refsTitle')} text={t('storage.refsText')}>
      <ShareRows
        title={t('storage.refsTitle')}
        columns={[t('storage.ref'), t('storage.files'), t('storage.size')]}
        bytesColumn={t('storage.adds')}
        rows={rows}
        total={{ label: t('storage.storedAll'), bytes: report.storedBytes }}
      />
    </Section>
  );
}

/** What each version added. */
export async function CommitTable({ repo, report }: { repo: RepoRef; report: Report }) {
  const [t, ctx, { language }] = await Promise.all([translator(), pageContext(), readerWishes()]);
  const rows: ShareRow[] = report.commits.map((commit) => ({
    key: commit.oid,
    name: (
      <span className="flex flex-wrap items-baseline gap-x-2">
        <Link href={fileAddress(repo, 'commit', commit.oid)} className="hover:underline">
          {visibleText(commit.title)}
        </Link>
        <span className="text-muted">
          <Ago date={new Date(commit.date)} nowMs={ctx.clock.now()} language={language} />
        </span>
      </span>
    ),
    figures: [String(commit.fileCount), formatSize(commit.logicalBytes)],
    bytes: commit.addsBytes,
  }));
  const rest = [
    { name: t('storage.earlier', { count: report.moreCommits.count }), ...report.moreCommits },
    { name: t('storage.unreachable'), ...report.unreachable },
  ];
  for (const { name, count, logicalBytes, addsBytes } of rest)
    if (count > 0)
      rows.push({ key: name, name, figures: [String(count), formatSize(logicalBytes)], bytes: addsBytes });
  return (
    <Section title={t('storage.commitsTitle')} text={t('storage.commitsText')}>
      <ShareRows
        title={t('storage.commitsTitle')}
        columns={[t('storage.version'), t('storage.files'), t('storage.size')]}
        bytesColumn={t('storage.adds')}
        rows={rows}
        total={{ label: t('storage.storedAll'), bytes: report.storedBytes }}
      />
    </Section>
  );
}

import { Boxes, HardDrive } from 'lucide-react';
import Link from 'next/link';
import type { RepoStorage } from '#lib/repos/storage/read-storage.ts';
import type { StorageReport } from '#lib/repos/storage/types.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { apiAddress, repoAddress } from '../addresses.ts';
import { formatDuration, formatSize } from '../format.ts';
import { hub } from '../hub.ts';
import { EmptyState, Notice, Panel, PanelHeader } from '../kit/panel.tsx';
import { Ago } from '../kit/values.tsx';
import { orNotFound } from '../or-not-found.ts';
import { ConfirmCall } from '../repos/confirm-call.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { LimitForm } from '../storage/limit-form.tsx';
import { QuotaBar } from '../storage/quota-bar.tsx';
import { CommitTable, FileTable, RefTable, Section } from '../storage/report-tables.tsx';
import { type ShareRow, ShareRows } from '../storage/share-rows.tsx';
import { StorageBar } from '../storage/storage-bar.tsx';
import { translator } from '../translator.ts';

/** Where the bytes of a repo's large files are. */
export async function StorageScreen({ repo: asked }: { repo: RepoRef }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const page = await orNotFound(hub().storagePage(ctx, asked));
  const { storage, overview } = page;
  const { repo } = overview;
  const { report } = storage;
  return (
    <>
      <RepoHeader overview={overview} tab="storage" />
      <div className="mx-auto flex max-w-4xl flex-col gap-6">
        <Summary storage={storage} />
        {report !== null && report.fileCount > 0 && (
          <>
            <FileTable report={report} />
            <RefTable report={report} />
            <CommitTable repo={repo} report={report} />
            <Sharing storage={storage} />
          </>
        )}
        {storage.mayConvert && report !== null && report.whole.count > 0 && (
          <Convert repo={repo} whole={report.whole} />
        )}
        {page.maySetLimit && (
          <Panel>
            <PanelHeader title={t('storage.limit')} />
            <div className="p-4">
              <LimitForm
                path={`${repo.type === 'dataset' ? 'datasets' : 'models'}/${encodeURIComponent(repo.namespace)}/${encodeURIComponent(repo.name)}`}
                name={`${repo.namespace}/${repo.name}`}
                limitBytes={storage.room?.what === 'repo' ? storage.room.limitBytes : null}
              />
            </div>
          </Panel>
        )}
      </div>
    </>
  );
}

async function Summary({ storage }: { storage: RepoStorage }) {
  const [t, ctx, { language }] = await Promise.all([translator(), pageContext(), readerWishes()]);
  const { report, room, computedAt } = storage;
  return (
    <Panel>
      <PanelHeader title={t('storage.title')}>
        {computedAt !== null && (
          <span className="text-sm text-muted">
            <Ago date={computedAt} nowMs={ctx.clock.now()} language={language} />
            {' · '}
            {formatDuration(storage.tookMs)}
          </span>
        )}
      </PanelHeader>
      {storage.fileCount === 0 ? (
        <EmptyState icon={<HardDrive />} title={t('storage.none')} text={t('storage.noneText')} />
      ) : (
        <div className="flex flex-col gap-4 p-4">
          <p className="max-w-prose text-muted">{t('storage.text')}</p>
          <p className="tabular text-lg font-semibold">
            {report === null
              ? formatSize(storage.logicalBytes)
              : t('storage.summary', {
                  logical: formatSize(report.logicalBytes),
                  count: report.fileCount,
                  stored: formatSize(report.storedBytes),
                })}
          </p>
          <StorageBar storage={storage} />
          {room !== null && (
            <div className="border-t border-line pt-4">
              <QuotaBar name={room.name} usedBytes={room.usedBytes} limitBytes={room.limitBytes} />
            </div>
          )}
          {storage.isComputing && <Notice tone="info" title={t('storage.computing')} />}
          {report !== null && !report.isComplete && <Notice tone="info" title={t('storage.incomplete')} />}
        </div>
      )}
    </Panel>
  );
}

async function Sharing({ storage }: { storage: RepoStorage }) {
  const t = await translator();
  const { sharedWith, hidden } = storage;
  const rows: ShareRow[] = sharedWith.map((repo) => ({
    key: repoAddress(repo),
    name: (
      <Link href={repoAddress(repo)} className="hover:underline">
        {repo.namespace}/{repo.name}
      </Link>
    ),
    figures: [],
    bytes: repo.bytes,
  }));
  if (hidden.count > 0)
    rows.push({
      key: 'hidden',
      name: <span className="text-muted">{t('storage.others', { count: hidden.count })}</span>,
      figures: [],
      bytes: hidden.bytes,
    });
  return (
    <Section
      title={t('storage.sharedTitle')}
      text={t(rows.length === 0 ? 'storage.sharedNobody' : 'storage.sharedText')}
    >
      {rows.length > 0 && (
        <ShareRows
          title={t('storage.sharedTitle')}
          columns={[t('storage.repository')]}
          bytesColumn={t('storage.bytes')}
          rows={rows}
        />
      )}
    </Section>
  );
}

async function Convert({ repo, whole }: { repo: RepoRef; whole: StorageReport['whole'] }) {
  const t = await translator();
  const text = t('storage.convertText', { count: whole.count, size: formatSize(whole.bytes) });
  return (
    <Panel>
      <PanelHeader title={t('storage.convertTitle')} />
      <div className="flex flex-wrap items-center justify-between gap-3 p-4">
        <p className="max-w-prose min-w-0 flex-1 basis-64 text-muted">{text}</p>
        <ConfirmCall
          call={{ method: 'POST', path: apiAddress(repo, 'storage/convert') }}
          label={t('storage.convert')}
          icon={<Boxes />}
          title={t('storage.convertAsk')}
          text={text}
          confirm={t('storage.convert')}
          done={t('storage.convertAsked')}
        />
      </div>
    </Panel>
  );
}

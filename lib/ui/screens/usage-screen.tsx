import { Lock } from 'lucide-react';
import Link from 'next/link';
import type { NamespaceUsage } from '#lib/repos/storage/read-usage.ts';
import { repoAddress } from '../addresses.ts';
import { formatSize } from '../format.ts';
import { hub } from '../hub.ts';
import { Panel, PanelHeader } from '../kit/panel.tsx';
import { orNotFound } from '../or-not-found.ts';
import { requireReader } from '../require-reader.ts';
import { pageContext } from '../server-context.ts';
import { LimitForm } from '../storage/limit-form.tsx';
import { QuotaBar } from '../storage/quota-bar.tsx';
import { type ShareRow, ShareRows } from '../storage/share-rows.tsx';
import { translator } from '../translator.ts';
import { SettingsFrame } from './settings-screen.tsx';

/** What the reader and their organizations store, or what `of` names for an administrator of the hub. */
export async function UsageScreen({ of }: { of: string | undefined }) {
  const reader = await requireReader('/settings/usage');
  const ctx = await pageContext();
  const names = of === undefined ? [reader.name, ...reader.orgs.map((org) => org.name)] : [of];
  const usages = await orNotFound(Promise.all(names.map((name) => hub().readUsage(ctx, name))));
  return (
    <SettingsFrame tab="usage">
      {usages.map((usage) => (
        <Usage key={usage.namespace} usage={usage} />
      ))}
    </SettingsFrame>
  );
}

async function Usage({ usage }: { usage: NamespaceUsage }) {
  const t = await translator();
  const rows = usage.repos
    .filter((repo) => repo.logicalBytes > 0)
    .map(
      (repo): ShareRow => ({
        key: repoAddress(repo),
        name: (
          <span className="flex items-baseline gap-1.5">
            <Link href={`${repoAddress(repo)}/storage`} className="hover:underline">
              {repo.name}
            </Link>
            {repo.isPrivate && (
              <Lock
                aria-label={t('words.private')}
                className="size-3.5 shrink-0 translate-y-0.5 text-muted"
              />
            )}
            {repo.limitBytes !== null && (
              <span className="text-muted">
                {t('storage.ownLimit', { limit: formatSize(repo.limitBytes) })}
              </span>
            )}
          </span>
        ),
        figures: [String(repo.fileCount), repo.storedBytes === null ? '–' : formatSize(repo.storedBytes)],
        bytes: repo.logicalBytes,
      }),
    );
  const missing = usage.repoCount - usage.repos.length;
  return (
    <Panel className="overflow-hidden">
      <PanelHeader title={`${usage.namespace} · ${t('storage.quotaTitle')}`} />
      <div className="flex flex-col gap-3 p-4">
        <p className="text-muted">{t('storage.quotaText')}</p>
        <QuotaBar name={usage.namespace} usedBytes={usage.usedBytes} limitBytes={usage.limitBytes} />
      </div>
      {rows.length > 0 && (
        <div className="border-t border-line">
          <ShareRows
            title={t('storage.repos')}
            columns={[t('storage.repository'), t('storage.files'), t('storage.storedAll')]}
            bytesColumn={t('storage.size')}
            rows={rows}
          />
        </div>
      )}
      {rows.length > 0 && usage.repos.some((repo) => repo.logicalBytes > 0 && repo.storedBytes === null) && (
        <p className="border-t border-line px-4 py-2 text-sm text-muted">{t('storage.notComputed')}</p>
      )}
      {missing > 0 && (
        <p className="border-t border-line px-4 py-2 text-sm text-muted">
          {t('storage.moreRepos', { count: missing })}
        </p>
      )}
      {usage.maySetLimits && (
        <div className="border-t border-line p-4">
          <LimitForm
            path={encodeURIComponent(usage.namespace)}
            name={usage.namespace}
            limitBytes={usage.limitBytes}
          />
        </div>
      )}
    </Panel>
  );
}

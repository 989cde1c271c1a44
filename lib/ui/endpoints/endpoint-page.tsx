'use client';

import Link from 'next/link';
import type { ReactNode } from 'react';
import type { EndpointView } from '#lib/endpoints/view.ts';
import { fileAddress, repoAddress } from '../addresses.ts';
import { formatCount, formatSize } from '../format.ts';
import { CodeTabs } from '../kit/code-tabs.tsx';
import { CopyButton } from '../kit/copy-button.tsx';
import { Notice, Panel, PanelHeader } from '../kit/panel.tsx';
import { useLanguage, useTranslator } from '../reader.tsx';
import { endpointSnippets } from '../view-models/endpoint-snippets.ts';
import type { StateEvent } from '../view-models/timeline.ts';
import { EndpointActions } from './endpoint-actions.tsx';
import { EndpointLog } from './endpoint-log.tsx';
import { Playground } from './playground.tsx';
import { StateBadge } from './state-badge.tsx';
import { Timeline } from './timeline.tsx';
import { type LiveEndpoint, useEndpoint } from './use-endpoint.ts';

/** An endpoint, live: how it is, how it got there, how to call it, and a place to try it. */
export function EndpointPage({ initial, states }: { initial: EndpointView; states: readonly StateEvent[] }) {
  const t = useTranslator();
  const live = useEndpoint(initial, states);
  const { endpoint } = live;
  return (
    <div className="flex flex-col gap-5">
      <header className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0">
          <h1 className="text-xl font-semibold break-all">
            <span className="font-normal text-muted">{endpoint.namespace} / </span>
            {endpoint.name}
          </h1>
          <div className="mt-1 flex flex-wrap items-center gap-x-3 gap-y-1" aria-live="polite">
            <StateBadge state={endpoint.state} t={t} />
            {endpoint.message && endpoint.state !== 'failed' && endpoint.progress === null && (
              <span className="text-muted">{endpoint.message}</span>
            )}
          </div>
        </div>
        <EndpointActions endpoint={endpoint} isDeleted={live.isDeleted} />
      </header>
      {endpoint.state === 'failed' && (
        <Notice tone="bad" title={t('endpoint.whyFailed')}>
          {endpoint.message}
        </Notice>
      )}
      <PullProgress endpoint={endpoint} />
      <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,26rem)]">
        <div className="flex min-w-0 flex-col gap-5">
          <Playground endpoint={endpoint} />
          <Address endpoint={endpoint} />
        </div>
        <Side live={live} />
      </div>
    </div>
  );
}

function Side({ live }: { live: LiveEndpoint }) {
  const t = useTranslator();
  return (
    <div className="flex min-w-0 flex-col gap-5">
      <Panel>
        <PanelHeader title={t('endpoint.timeline')} />
        <Timeline events={live.states} />
      </Panel>
      <EndpointLog lines={live.log} connection={live.connection} />
      <Details endpoint={live.endpoint} />
    </div>
  );
}

function PullProgress({ endpoint: { progress, state } }: { endpoint: EndpointView }) {
  const t = useTranslator();
  if (state !== 'pulling' || progress === null || progress.totalBytes === 0) return null;
  const share = Math.min(1, progress.doneBytes / progress.totalBytes);
  return (
    <div>
      <progress className="sr-only" aria-label={t('endpoint.states.pulling')} value={share} />
      <div aria-hidden="true" className="h-1.5 overflow-hidden rounded-full bg-hover">
        <div
          className="h-full rounded-full bg-info transition-[width]"
          style={{ width: `${share * 100}%` }}
        />
      </div>
      <p className="tabular mt-1 text-sm text-muted">
        {t('endpoint.pulled', {
          done: formatSize(progress.doneBytes),
          total: formatSize(progress.totalBytes),
        })}
      </p>
    </div>
  );
}

function Address({ endpoint }: { endpoint: EndpointView }) {
  const t = useTranslator();
  return (
    <Panel>
      <PanelHeader title={t('endpoint.address')}>
        <Link href="/settings/tokens" className="text-sm text-muted hover:text-fg hover:underline">
          {t('endpoint.getToken')}
        </Link>
      </PanelHeader>
      <div className="flex min-w-0 flex-col gap-3 p-4">
        <p className="flex items-center gap-1 rounded-md border border-line bg-sunken py-1 pr-1 pl-3">
          <code className="min-w-0 flex-1 text-sm break-all">{endpoint.url}</code>
          <CopyButton text={endpoint.url} />
        </p>
        <p className="text-sm text-muted">{t('endpoint.addressText')}</p>
        <CodeTabs
          label={t('endpoint.snippets')}
          snippets={endpointSnippets(endpoint.url, endpoint.fullName)}
        />
      </div>
    </Panel>
  );
}

function Details({ endpoint }: { endpoint: EndpointView }) {
  const [t, language] = [useTranslator(), useLanguage()];
  const rows: readonly (readonly [string, ReactNode])[] = [
    [
      t('endpoint.model'),
      <Link key="model" href={repoAddress(endpoint.repo)} className="hover:underline">
        {endpoint.repo.namespace}/{endpoint.repo.name}
      </Link>,
    ],
    [
      t('endpoint.file'),
      <span key="file" className="font-mono text-xs">
        {endpoint.file}
      </span>,
    ],
    [
      t('endpoint.version'),
      <Link
        key="version"
        href={fileAddress(endpoint.repo, 'tree', endpoint.commit)}
        className="font-mono text-xs hover:underline"
      >
        {endpoint.commit.slice(0, 7)}
      </Link>,
    ],
    [t('endpoint.engine'), endpoint.engine],
    [t('endpoint.requests'), formatCount(endpoint.usage.requests, language)],
    [t('endpoint.generated'), formatCount(endpoint.usage.completionTokens, language)],
  ];
  return (
    <Panel>
      <PanelHeader title={t('endpoint.details')} />
      <dl className="divide-y divide-line px-4">
        {rows.map(([name, value]) => (
          <div key={name} className="flex items-baseline justify-between gap-4 py-2">
            <dt className="shrink-0 text-muted">{name}</dt>
            <dd className="tabular min-w-0 text-right break-all">{value}</dd>
          </div>
        ))}
      </dl>
    </Panel>
  );
}

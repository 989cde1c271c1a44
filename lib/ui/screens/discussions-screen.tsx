import { GitPullRequest, MessageSquarePlus, MessagesSquare } from 'lucide-react';
import Link from 'next/link';
import type { RepoRef } from '#lib/repos/types.ts';
import { discussionAddress } from '../addresses.ts';
import { cn } from '../cn.ts';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { EmptyState, Panel } from '../kit/panel.tsx';
import { orNotFound } from '../or-not-found.ts';
import { DiscussionRow } from '../pulls/discussion-row.tsx';
import { filterAddress } from '../pulls/filter-address.ts';
import { ListFilters } from '../pulls/list-filters.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { DiscussionFilter, DiscussionsPage } from '../view-models/discussions-page.ts';

/** A repo's discussions and pull requests, with filters that are the address. */
export async function DiscussionsScreen({ repo: ref, filter }: { repo: RepoRef; filter: DiscussionFilter }) {
  const ctx = await pageContext();
  const model = await orNotFound(hub().discussionsPage(ctx, ref, filter));
  const { overview, list } = model;
  const { repo } = overview;
  const action = discussionAddress(repo);
  const { page, ...shown } = filter;
  return (
    <>
      <RepoHeader overview={overview} tab="discussions" />
      <div className="flex flex-col gap-3">
        <Actions model={model} />
        <ListFilters action={action} filter={shown} />
        <Panel className="overflow-hidden">
          <StatusTabs filter={filter} list={list} action={action} />
          {list.discussions.length === 0 ? (
            <Nothing filter={filter} model={model} />
          ) : (
            <ul className="divide-y divide-line">
              {list.discussions.map((discussion) => (
                <DiscussionRow key={discussion.num} repo={repo} discussion={discussion} />
              ))}
            </ul>
          )}
        </Panel>
        <Pages action={action} filter={shown} page={page} hasNext={model.hasNext} />
      </div>
    </>
  );
}

async function Actions({ model: { overview, mayOpen, isDisabled } }: { model: DiscussionsPage }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const address = discussionAddress(overview.repo);
  if (isDisabled) return <p className="text-muted">{t('pulls.disabled')}</p>;
  if (!mayOpen)
    return ctx.principal.kind === 'user' ? null : (
      <ButtonLink href={`/login?next=${encodeURIComponent(address)}`} className="self-start">
        {t('pulls.signIn')}
      </ButtonLink>
    );
  return (
    <div className="flex flex-wrap gap-2 max-sm:gap-1.5 max-sm:[&>a]:flex-1 max-sm:[&>a]:px-2">
      <ButtonLink look="accent" href={discussionAddress(overview.repo, 'new')}>
        <MessageSquarePlus />
        {t('pulls.newDiscussion')}
      </ButtonLink>
      <ButtonLink href={`${discussionAddress(overview.repo, 'new')}?pull=1`}>
        <GitPullRequest />
        {t('pulls.newPull')}
      </ButtonLink>
    </div>
  );
}

async function StatusTabs(props: {
  filter: DiscussionFilter;
  list: DiscussionsPage['list'];
  action: string;
}) {
  const t = await translator();
  const { filter, list, action } = props;
  const { page: _, ...shown } = filter;
  const tabs = [
    ['open', t('pulls.openCount', { count: list.open })],
    ['closed', t('pulls.closedCount', { count: list.closed })],
    ['all', t('pulls.all')],
  ] as const;
  return (
    <nav aria-label={t('pulls.state')} className="flex gap-1 border-b border-line bg-sunken px-2">
      {tabs.map(([status, label]) => (
        <Link
          key={status}
          href={filterAddress(action, { ...shown, status })}
          aria-current={filter.status === status ? 'page' : undefined}
          className={cn(
            'tabular flex h-10 items-center border-b-2 border-transparent px-2.5 text-sm whitespace-nowrap text-muted hover:text-fg max-md:h-11',
            filter.status === status && 'border-accent font-medium text-fg',
          )}
        >
          {label}
        </Link>
      ))}
    </nav>
  );
}

async function Nothing({ filter, model }: { filter: DiscussionFilter; model: DiscussionsPage }) {
  const t = await translator();
  const { list } = model;
  const isEmpty = list.open + list.closed === 0 && !filter.search && !filter.author && filter.type === 'all';
  return (
    <EmptyState
      icon={<MessagesSquare />}
      title={t(isEmpty ? 'pulls.none' : 'pulls.noneMatch')}
      text={t(isEmpty ? 'pulls.noneText' : 'pulls.noneMatchText')}
    />
  );
}

async function Pages(props: {
  action: string;
  filter: Omit<DiscussionFilter, 'page'>;
  page: number;
  hasNext: boolean;
}) {
  const t = await translator();
  const { action, filter, page, hasNext } = props;
  if (page === 0 && !hasNext) return null;
  return (
    <nav aria-label={t('words.pagination')} className="flex justify-end gap-2">
      {page > 0 && (
        <ButtonLink href={filterAddress(action, filter, page - 1)}>{t('words.previous')}</ButtonLink>
      )}
      {hasNext && <ButtonLink href={filterAddress(action, filter, page + 1)}>{t('words.next')}</ButtonLink>}
    </nav>
  );
}

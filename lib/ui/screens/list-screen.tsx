import { Database, Package, SearchX } from 'lucide-react';
import Link from 'next/link';
import type { RepoSort } from '#lib/catalog/list-repos.ts';
import type { RepoType } from '#lib/repos/types.ts';
import { listAddress } from '../addresses.ts';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { CodeBlock } from '../kit/code-block.tsx';
import { EmptyState, Panel } from '../kit/panel.tsx';
import { orNotFound } from '../or-not-found.ts';
import { oneOf, type PageQuery } from '../query.ts';
import { ListFilter } from '../repos/list-filter.tsx';
import { RepoList } from '../repos/repo-list.tsx';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';
import { repoRow } from '../view-models/repo-row.ts';
import { uploadSnippet } from '../view-models/snippets.ts';

const PAGE_SIZE = 30;
const SORTS = ['lastModified', 'createdAt', 'downloads', 'likes'] as const satisfies readonly RepoSort[];

/** All models or datasets that the reader may see, filtered by name; page and order are in the address. */
export async function ListScreen({ type, query }: { type: RepoType; query: PageQuery }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const search = ((await oneOf(query, 'search')) ?? '').trim().slice(0, 200);
  const wished = await oneOf(query, 'sort');
  const sort = SORTS.find((each) => each === wished) ?? 'lastModified';
  const cursor = await oneOf(query, 'cursor');
  const { items, nextCursor } = await orNotFound(
    hub().listRepos(ctx, {
      type,
      sort,
      limit: PAGE_SIZE,
      ...(search && { search: [search] }),
      ...(cursor && { cursor }),
    }),
  );
  const base = listAddress(type);
  const pageHref = (after?: string) =>
    `${base}?${new URLSearchParams({ ...(search && { search }), sort, ...(after && { cursor: after }) })}`;
  return (
    <>
      <div className="mb-4 flex flex-wrap items-center justify-between gap-3">
        <h1 className="text-xl font-semibold">
          {t(type === 'dataset' ? 'catalog.datasets' : 'catalog.models')}
        </h1>
        <ListFilter action={base} search={search} sort={sort} sorts={SORTS} />
      </div>
      <Panel>
        {items.length === 0 ? (
          <NoRepos type={type} search={search} />
        ) : (
          <RepoList
            type={type}
            rows={items.map(repoRow)}
            nowMs={ctx.clock.now()}
            running={await runningModels(type)}
          />
        )}
      </Panel>
      <nav aria-label={t('words.pagination')} className="mt-4 flex justify-end gap-2">
        {cursor && <ButtonLink href={pageHref()}>{t('words.firstPage')}</ButtonLink>}
        {nextCursor && (
          <ButtonLink href={pageHref(nextCursor)} rel="next">
            {t('words.next')}
          </ButtonLink>
        )}
      </nav>
    </>
  );
}

/** Full names of the models that a ready endpoint serves, as far as the reader may know. */
async function runningModels(type: RepoType): Promise<ReadonlySet<string>> {
  const ctx = await pageContext();
  if (type !== 'model' || ctx.principal.kind !== 'user') return new Set();
  const ready = (await hub().listEndpoints(ctx)).filter((endpoint) => endpoint.state === 'ready');
  return new Set(ready.map(({ repo }) => `${repo.namespace}/${repo.name}`));
}

async function NoRepos({ type, search }: { type: RepoType; search: string }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  if (search) {
    return (
      <EmptyState
        icon={<SearchX />}
        title={t('catalog.noneTitle')}
        text={t('catalog.noneFor', { query: search })}
      >
        <Link href={listAddress(type)} className="text-accent-text underline underline-offset-2">
          {t('catalog.clear')}
        </Link>
      </EmptyState>
    );
  }
  const title = t(type === 'dataset' ? 'catalog.emptyDatasets' : 'catalog.emptyModels');
  return (
    <EmptyState
      icon={type === 'dataset' ? <Database /> : <Package />}
      title={title}
      text={t('catalog.emptyText')}
    >
      <CodeBlock code={uploadSnippet(ctx.publicUrl, `me/my-${type}`, type)} />
    </EmptyState>
  );
}

import { ArrowRight, Package, Search } from 'lucide-react';
import Link from 'next/link';
import type { ReactNode } from 'react';
import type { RepoQuery } from '#lib/catalog/list-repos.ts';
import { hub } from '../hub.ts';
import { Button } from '../kit/button.tsx';
import { CodeBlock } from '../kit/code-block.tsx';
import { CodeTabs } from '../kit/code-tabs.tsx';
import { Input } from '../kit/field.tsx';
import { EmptyState, Panel, PanelHeader } from '../kit/panel.tsx';
import { RepoList } from '../repos/repo-list.tsx';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';
import { repoRow } from '../view-models/repo-row.ts';
import { connectSnippets, uploadSnippet } from '../view-models/snippets.ts';
import { HomeEndpoints } from './home-endpoints.tsx';

const SHOWN = 6;

/** The first page: what is newest and most used; for who is signed in, their own things first. */
export async function HomeScreen() {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const user = ctx.principal.kind === 'user' ? ctx.principal : null;
  const find = (query: Partial<RepoQuery>) =>
    hub().listRepos(ctx, { type: 'model', sort: 'lastModified', limit: SHOWN, ...query });
  const [newest, mostUsed, own] = await Promise.all([
    find({ sort: 'createdAt' }),
    find({ sort: 'downloads' }),
    user ? find({ author: user.name }) : null,
  ]);
  const used = mostUsed.items.filter((item) => item.repo.downloads > 0);
  return (
    <div className="flex flex-col gap-8">
      <Opening signedIn={user !== null} />
      {newest.items.length === 0 ? (
        <Panel>
          <EmptyState icon={<Package />} title={t('home.noModels')} text={t('home.noModelsText')}>
            <CodeBlock code={uploadSnippet(ctx.publicUrl, `${user?.name ?? 'me'}/my-model`, 'model')} />
          </EmptyState>
        </Panel>
      ) : (
        <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_22rem]">
          <div className="flex min-w-0 flex-col gap-6">
            {own && own.items.length > 0 && (
              <ModelPanel title={t('home.yourModels')} href={`/${encodeURIComponent(user?.name ?? '')}`}>
                <RepoList type="model" rows={own.items.map(repoRow)} nowMs={ctx.clock.now()} />
              </ModelPanel>
            )}
            <ModelPanel title={t('home.newest')} href="/models">
              <RepoList type="model" rows={newest.items.map(repoRow)} nowMs={ctx.clock.now()} />
            </ModelPanel>
          </div>
          <div className="flex min-w-0 flex-col gap-6">
            {user && <HomeEndpoints />}
            {used.length > 0 && (
              <ModelPanel title={t('home.mostUsed')} href="/models?sort=downloads">
                <RepoList type="model" rows={used.map(repoRow)} nowMs={ctx.clock.now()} />
              </ModelPanel>
            )}
          </div>
        </div>
      )}
      <section className="flex flex-col gap-2">
        <h2 className="font-semibold">{t('home.connect')}</h2>
        <p className="text-muted">{t('home.connectText')}</p>
        <div className="max-w-3xl">
          <CodeTabs label={t('home.connect')} snippets={connectSnippets(ctx.publicUrl)} />
        </div>
      </section>
    </div>
  );
}

async function Opening({ signedIn }: { signedIn: boolean }) {
  const t = await translator();
  return (
    <div className="flex flex-col gap-4 pt-2">
      <h1
        className={
          signedIn ? 'sr-only' : 'max-w-3xl text-2xl font-semibold tracking-tight text-balance max-md:text-xl'
        }
      >
        {signedIn ? t('home.title') : t('home.tagline')}
      </h1>
      <search>
        <form action="/models" className="flex max-w-2xl gap-2">
          <div className="relative flex-1">
            <Search className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-muted" />
            <Input
              name="search"
              type="search"
              maxLength={200}
              className="pl-9"
              aria-label={t('home.searchLabel')}
              placeholder={t('home.searchLabel')}
            />
          </div>
          <Button type="submit">{t('frame.search')}</Button>
        </form>
      </search>
    </div>
  );
}

async function ModelPanel({ title, href, children }: { title: string; href: string; children: ReactNode }) {
  const t = await translator();
  return (
    <Panel className="overflow-hidden">
      <PanelHeader title={title}>
        <Link href={href} className="flex items-center gap-1 text-sm text-muted hover:text-fg">
          {t('home.showAll')}
          <ArrowRight className="size-3.5" aria-hidden="true" />
        </Link>
      </PanelHeader>
      {children}
    </Panel>
  );
}

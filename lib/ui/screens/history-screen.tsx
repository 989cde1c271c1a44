import { GitBranch, GitCompare, History } from 'lucide-react';
import type { RepoRef } from '#lib/repos/types.ts';
import { branchesAddress, fileAddress, repoAddress } from '../addresses.ts';
import { hub } from '../hub.ts';
import { Button, ButtonLink } from '../kit/button.tsx';
import { EmptyState, Panel } from '../kit/panel.tsx';
import { orNotFound } from '../or-not-found.ts';
import { CommitRow } from '../repos/commit-row.tsx';
import { PathBar } from '../repos/path-bar.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';

/** The commits of a revision by day, newest first; with a path, those that changed it. */
export async function HistoryScreen(props: { repo: RepoRef; tail: string; page: number }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const { place, commits, total, page, hasNext, branch } = await orNotFound(
    hub().historyPage(ctx, props.repo, props.tail, props.page),
  );
  const { repo } = place.overview;
  const href = (to: number) => `${fileAddress(repo, 'commits', place.revision, place.path)}?p=${to}`;
  const days = Map.groupBy(commits, (commit) => commit.date.toISOString().slice(0, 10));
  return (
    <>
      <RepoHeader overview={place.overview} tab="versions" revision={place.revision} />
      <div className="mb-3 flex flex-wrap items-start justify-between gap-x-4">
        <PathBar place={place} view="commits" />
        <div className="flex flex-wrap items-center gap-2">
          {total !== null && (
            <p className="mr-1 text-sm text-muted max-md:w-full">{t('repo.commits', { count: total })}</p>
          )}
          <form id="compare" action={`${repoAddress(repo)}/compare`}>
            <Button type="submit" size="sm">
              <GitCompare />
              {t('diff.compareTicked')}
            </Button>
          </form>
          <ButtonLink size="sm" href={branchesAddress(repo)}>
            <GitBranch />
            {t('history.branchesAndTags')}
          </ButtonLink>
        </div>
      </div>
      {commits.length === 0 && page === 0 && (
        <EmptyState
          icon={<History />}
          title={t('history.noHistoryTitle')}
          text={t('history.noHistoryText')}
        />
      )}
      {[...days].map(([day, ofDay]) => (
        <section key={day} className="mb-4">
          <h2 className="tabular mb-1.5 text-sm font-medium text-muted">{day}</h2>
          <Panel>
            <ul className="divide-y divide-line">
              {ofDay.map((commit) => (
                <CommitRow key={commit.oid} repo={repo} commit={commit} branch={branch} path={place.path} />
              ))}
            </ul>
          </Panel>
        </section>
      ))}
      <nav aria-label={t('words.pagination')} className="mt-4 flex justify-end gap-2">
        {page > 0 && <ButtonLink href={href(page - 1)}>{t('words.previous')}</ButtonLink>}
        {hasNext && <ButtonLink href={href(page + 1)}>{t('words.next')}</ButtonLink>}
      </nav>
    </>
  );
}

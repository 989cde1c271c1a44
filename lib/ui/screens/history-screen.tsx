import { FolderTree, GitCompare } from 'lucide-react';
import Link from 'next/link';
import type { CommitSummary, RepoRef } from '#lib/repos/types.ts';
import { fileAddress, repoAddress } from '../addresses.ts';
import { hub } from '../hub.ts';
import { Avatar } from '../kit/avatar.tsx';
import { Button, ButtonLink } from '../kit/button.tsx';
import { CopyButton } from '../kit/copy-button.tsx';
import { Panel } from '../kit/panel.tsx';
import { Ago } from '../kit/values.tsx';
import { orNotFound } from '../or-not-found.ts';
import { PathBar } from '../repos/path-bar.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';

/** The commits of a revision by day, newest first. */
export async function HistoryScreen(props: { repo: RepoRef; tail: string; page: number }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const { place, commits, total, page, hasNext } = await orNotFound(
    hub().historyPage(ctx, props.repo, props.tail, props.page),
  );
  const { repo } = place.overview;
  const href = (to: number) => `${fileAddress(repo, 'commits', place.revision)}?p=${to}`;
  const days = Map.groupBy(commits, (commit) => commit.date.toISOString().slice(0, 10));
  return (
    <>
      <RepoHeader overview={place.overview} tab="versions" revision={place.revision} />
      <div className="flex flex-wrap items-start justify-between gap-x-4">
        <PathBar place={{ ...place, path: '' }} view="commits" />
        <div className="flex flex-wrap items-center gap-3">
          <p className="text-sm text-muted">{t('repo.commits', { count: total })}</p>
          <form id="compare" action={`${repoAddress(repo)}/compare`}>
            <Button type="submit" size="sm">
              <GitCompare />
              {t('diff.compareTicked')}
            </Button>
          </form>
        </div>
      </div>
      {[...days].map(([day, ofDay]) => (
        <section key={day} className="mb-4">
          <h2 className="tabular mb-1.5 text-sm font-medium text-muted">{day}</h2>
          <Panel>
            <ul className="divide-y divide-line">
              {ofDay.map((commit) => (
                <CommitRow key={commit.oid} repo={repo} commit={commit} />
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

async function CommitRow({ repo, commit }: { repo: RepoRef; commit: CommitSummary }) {
  const [t, { language }, ctx] = await Promise.all([translator(), readerWishes(), pageContext()]);
  const author = commit.userName ?? commit.authorName;
  const browse = fileAddress(repo, 'tree', commit.oid);
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
      <input
        type="checkbox"
        name="c"
        value={commit.oid}
        form="compare"
        aria-label={t('diff.tick', { commit: commit.oid.slice(0, 7) })}
        className="size-4 accent-accent"
      />
      <div className="min-w-0 flex-1 basis-72">
        <p className="font-medium break-words">
          <Link href={fileAddress(repo, 'commit', commit.oid)} className="hover:underline">
            {commit.title || t('repo.noMessage')}
          </Link>
        </p>
        {commit.message.trim() && (
          <p className="line-clamp-3 text-sm break-words whitespace-pre-line text-muted">
            {commit.message.trim()}
          </p>
        )}
        <p className="mt-0.5 flex flex-wrap items-center gap-1.5 text-sm text-muted">
          <Avatar name={author} size={18} />
          {t('repo.commitBy', { author })}
          <Ago date={commit.date} nowMs={ctx.clock.now()} language={language} />
        </p>
      </div>
      <div className="flex items-center gap-1">
        <span className="font-mono text-sm text-muted">{commit.oid.slice(0, 7)}</span>
        <CopyButton text={commit.oid} label={`${t('words.copy')} ${commit.oid.slice(0, 7)}`} />
        <ButtonLink
          look="quiet"
          size="icon"
          href={browse}
          aria-label={t('repo.browseAt')}
          title={t('repo.browseAt')}
        >
          <FolderTree />
        </ButtonLink>
      </div>
    </li>
  );
}

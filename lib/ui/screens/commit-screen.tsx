import { FolderTree } from 'lucide-react';
import Link from 'next/link';
import { visibleLines, visibleText } from '#lib/base/visible-text.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { DiffView } from '../diff/diff-view.tsx';
import { RawDiffLink } from '../diff/raw-diff-link.tsx';
import { formatSize } from '../format.ts';
import { hub } from '../hub.ts';
import { Avatar } from '../kit/avatar.tsx';
import { ButtonLink } from '../kit/button.tsx';
import { Chip } from '../kit/chip.tsx';
import { CopyButton } from '../kit/copy-button.tsx';
import { Panel } from '../kit/panel.tsx';
import { Ago } from '../kit/values.tsx';
import { orNotFound } from '../or-not-found.ts';
import { RepoHeader } from '../repos/repo-header.tsx';
import { RevertButton } from '../repos/revert-button.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { CommitPage } from '../view-models/compare-page.ts';

/** A commit: who, when, why, and what it changed; with the ways to take it back and to see the files as they were. */
export async function CommitScreen(props: { repo: RepoRef; tail: string }) {
  const ctx = await pageContext();
  const page = await orNotFound(hub().commitPage(ctx, props.repo, props.tail));
  const { place, commit, shown } = page;
  const { type, namespace, name } = place.overview.repo;
  return (
    <>
      <RepoHeader overview={place.overview} tab="versions" />
      <Panel className="mb-4">
        <Head page={page} />
        <Origin page={page} />
      </Panel>
      <DiffView
        key={commit.oid}
        repo={{ type, namespace, name }}
        range={shown.comparison.pinned}
        files={shown.comparison.files}
        isComplete={shown.comparison.isComplete}
        loaded={shown.loaded}
      />
    </>
  );
}

async function Head({ page: { place, commit, shown, branch } }: { page: CommitPage }) {
  const t = await translator();
  const { repo } = place.overview;
  const { before, after } = shown.largeBytes;
  return (
    <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-80">
        <h2 className="text-lg font-semibold break-words">
          {visibleText(commit.title) || t('repo.noMessage')}
        </h2>
        {commit.message.trim() && (
          <p className="mt-1 max-w-prose break-words whitespace-pre-line text-muted">
            {visibleLines(commit.message.trim())}
          </p>
        )}
        {before + after > 0 && (
          <Chip tone="muted" className="mt-2">
            {t('diff.largeFiles', { added: formatSize(after), removed: formatSize(before) })}
          </Chip>
        )}
      </div>
      <div className="flex flex-wrap gap-2">
        {branch !== null && (
          <RevertButton
            repo={{ type: repo.type, namespace: repo.namespace, name: repo.name }}
            oid={commit.oid}
            branch={branch}
            goTo={fileAddress(repo, 'commits', branch)}
          />
        )}
        <RawDiffLink repo={repo} range={shown.comparison.pinned} />
        <ButtonLink size="sm" href={fileAddress(repo, 'tree', commit.oid)} title={t('repo.browseAt')}>
          <FolderTree />
          {t('repo.browseFiles')}
        </ButtonLink>
      </div>
    </div>
  );
}

async function Origin({ page: { place, commit } }: { page: CommitPage }) {
  const [t, { language }, ctx] = await Promise.all([translator(), readerWishes(), pageContext()]);
  const author = commit.userName ?? visibleText(commit.authorName);
  return (
    <div className="flex flex-wrap items-center gap-x-5 gap-y-1.5 border-t border-line bg-sunken px-4 py-2 text-sm text-muted">
      <span className="flex items-center gap-1.5">
        <Avatar name={author} size={20} />
        <span className="text-fg">{t('repo.commitBy', { author })}</span>
        <Ago date={commit.date} nowMs={ctx.clock.now()} language={language} />
      </span>
      <span className="flex items-center gap-1">
        {t('diff.commit')} <span className="font-mono text-fg">{commit.oid.slice(0, 9)}</span>
        <CopyButton text={commit.oid} label={`${t('words.copy')} ${commit.oid.slice(0, 9)}`} />
      </span>
      <span className="flex flex-wrap items-center gap-x-2">
        {commit.parents.length === 0 ? t('diff.noParents') : t('diff.parents')}
        {commit.parents.map((parent) => (
          <Link
            key={parent}
            href={fileAddress(place.overview.repo, 'commit', parent)}
            className="font-mono text-fg hover:underline"
          >
            {parent.slice(0, 9)}
          </Link>
        ))}
      </span>
    </div>
  );
}

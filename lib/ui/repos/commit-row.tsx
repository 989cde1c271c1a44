import { FolderTree } from 'lucide-react';
import Link from 'next/link';
import { visibleLines, visibleText } from '#lib/base/visible-text.ts';
import type { PathCommit } from '#lib/repos/file-history.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { cn } from '../cn.ts';
import { Avatar } from '../kit/avatar.tsx';
import { ButtonLink } from '../kit/button.tsx';
import { CopyButton } from '../kit/copy-button.tsx';
import { Ago } from '../kit/values.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import { RevertButton } from './revert-button.tsx';

/**
 * A commit of a list. `branch`: where the reader may take it back; `path`: whose history the list is. On phones what
 * can be done with it is on its own page.
 */
export async function CommitRow(props: {
  repo: RepoRef;
  commit: PathCommit;
  branch: string | null;
  path: string;
}) {
  const { repo, commit, branch, path } = props;
  const [t, { language }, ctx] = await Promise.all([translator(), readerWishes(), pageContext()]);
  const author = commit.userName ?? visibleText(commit.authorName);
  const short = commit.oid.slice(0, 7);
  return (
    <li className="flex flex-wrap items-center gap-x-1 py-2 pr-2 max-md:items-start md:pr-4">
      <label className="flex cursor-pointer items-center justify-center self-stretch px-3 max-md:w-11 max-md:items-start max-md:px-0 max-md:pt-1">
        <input
          type="checkbox"
          name="c"
          value={commit.oid}
          form="compare"
          aria-label={t('diff.tick', { commit: short })}
          className="size-4 accent-(--ring)"
        />
      </label>
      <div className="min-w-0 flex-1 basis-60">
        <p className="font-medium break-words">
          <Link
            href={fileAddress(repo, 'commit', commit.oid)}
            prefetch={false}
            title={t('history.openCommit')}
            className="hover:underline"
          >
            {visibleText(commit.title) || t('repo.noMessage')}
          </Link>
        </p>
        {commit.message.trim() && (
          <p className="line-clamp-3 text-sm break-words whitespace-pre-line text-muted">
            {visibleLines(commit.message.trim())}
          </p>
        )}
        {commit.renamedFrom && (
          <p className="text-sm break-all">
            <span className="text-muted">{t('history.renamedFrom')} </span>
            <Link
              href={fileAddress(repo, 'commits', commit.renamedFrom.commitOid, commit.renamedFrom.path)}
              className="font-mono text-accent-text hover:underline"
            >
              {visibleText(commit.renamedFrom.path)}
            </Link>
          </p>
        )}
        <p className="mt-0.5 flex flex-wrap items-center gap-1.5 text-sm text-muted">
          <Avatar name={author} size={18} />
          {t('repo.commitBy', { author })}
          <Ago date={commit.date} nowMs={ctx.clock.now()} language={language} />
          {path === '' && <span className="font-mono md:hidden">{short}</span>}
        </p>
      </div>
      <div className={cn('ml-auto flex items-center gap-1', path === '' && 'max-md:hidden')}>
        <span className="font-mono text-sm text-muted">{short}</span>
        <CopyButton text={commit.oid} label={`${t('words.copy')} ${short}`} />
        {branch !== null && <RevertButton repo={repo} oid={commit.oid} branch={branch} iconOnly />}
        <ButtonLink
          look="quiet"
          size="icon"
          href={fileAddress(repo, path === '' ? 'tree' : 'blob', commit.oid, path)}
          aria-label={t(path === '' ? 'repo.browseAt' : 'history.viewFile')}
          title={t(path === '' ? 'repo.browseAt' : 'history.viewFile')}
          prefetch={false}
        >
          <FolderTree />
        </ButtonLink>
      </div>
    </li>
  );
}

import Link from 'next/link';
import { visibleText } from '#lib/base/visible-text.ts';
import type { CommitSummary, RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { Avatar } from '../kit/avatar.tsx';
import { Ago } from '../kit/values.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';

/** Who last changed what is shown below, with what words and when. */
export async function CommitLine({ repo, commit }: { repo: RepoRef; commit: CommitSummary }) {
  const [t, { language }, ctx] = await Promise.all([translator(), readerWishes(), pageContext()]);
  const author = commit.userName ?? visibleText(commit.authorName);
  const title = visibleText(commit.title);
  return (
    <div className="flex min-h-11 flex-wrap items-center gap-x-2.5 gap-y-0.5 border-b border-line bg-sunken px-4 py-1.5 text-sm">
      <Avatar name={author} size={20} />
      {commit.userName ? (
        <Link href={`/${encodeURIComponent(commit.userName)}`} className="font-medium hover:underline">
          {author}
        </Link>
      ) : (
        <span className="font-medium">{author}</span>
      )}
      <span className="min-w-0 flex-1 basis-40 truncate text-muted" title={title}>
        {title || t('repo.noMessage')}
      </span>
      <span className="flex items-center gap-3 text-muted">
        <Link
          href={fileAddress(repo, 'commit', commit.oid)}
          className="font-mono text-xs hover:text-fg hover:underline"
        >
          {commit.oid.slice(0, 7)}
        </Link>
        <Ago date={commit.date} nowMs={ctx.clock.now()} language={language} />
      </span>
    </div>
  );
}

import { MessageSquare, Pin } from 'lucide-react';
import Link from 'next/link';
import type { Discussion } from '#lib/repos/pulls/types.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { discussionAddress } from '../addresses.ts';
import { Ago } from '../kit/values.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import { StatusMark } from './status-chip.tsx';

/** One discussion or pull request of a list. */
export async function DiscussionRow({ repo, discussion }: { repo: RepoRef; discussion: Discussion }) {
  const [t, { language }, ctx] = await Promise.all([translator(), readerWishes(), pageContext()]);
  const { num, title, status, author, pull, isPinned, commentCount, createdAt } = discussion;
  const replies = Math.max(0, commentCount - 1);
  return (
    <li className="relative flex items-start gap-3 px-4 py-2.5 hover:bg-hover max-md:py-3">
      <StatusMark status={status} isPull={pull !== null} />
      <div className="min-w-0 flex-1">
        <p className="font-medium break-words">
          <Link
            href={discussionAddress(repo, num)}
            className="after:absolute after:inset-0 hover:underline focus-visible:outline-none focus-visible:after:outline-2"
          >
            {title}
          </Link>
          {isPinned && (
            <span className="ml-2 inline-flex items-center gap-1 align-baseline text-xs font-normal text-accent-text">
              <Pin className="size-3.5" aria-hidden="true" />
              {t('pulls.pinned')}
            </span>
          )}
        </p>
        <p className="flex flex-wrap items-center gap-x-1.5 text-sm text-muted">
          <span className="tabular">#{num}</span>
          <span>{t('pulls.openedBy', { author: author?.name ?? t('pulls.deletedUser') })}</span>
          <Ago date={createdAt} nowMs={ctx.clock.now()} language={language} />
        </p>
      </div>
      {replies > 0 && (
        <span
          className="tabular flex shrink-0 items-center gap-1.5 pt-0.5 text-sm text-muted"
          title={t('pulls.comments', { count: replies })}
        >
          <MessageSquare className="size-4" aria-hidden="true" />
          {replies}
        </span>
      )}
    </li>
  );
}

import { Pin } from 'lucide-react';
import Link from 'next/link';
import { discussionAddress, fileAddress } from '../addresses.ts';
import { LinkTabs } from '../kit/link-tabs.tsx';
import { Ago } from '../kit/values.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { DiscussionPageModel, DiscussionPart } from '../view-models/discussion-page.ts';
import { DiscussionTitle } from './discussion-title.tsx';
import { StatusChip } from './status-chip.tsx';

/** Title, state and who began it; for a pull request also where it goes and its parts. */
export async function DiscussionHead({ model, part }: { model: DiscussionPageModel; part: DiscussionPart }) {
  const [t, { language }, ctx] = await Promise.all([translator(), readerWishes(), pageContext()]);
  const { overview, discussion, may, merge } = model;
  const { repo } = overview;
  const { num, title, status, pull, author, isPinned, createdAt } = discussion;
  const name = author?.name ?? t('pulls.deletedUser');
  const branch = pull?.baseRef.slice('refs/heads/'.length);
  return (
    <header className="mb-4 flex flex-col gap-2">
      <DiscussionTitle
        key={title}
        repo={{ type: repo.type, namespace: repo.namespace, name: repo.name }}
        num={num}
        title={title}
        isPinned={isPinned}
        maySteer={may.steer}
        mayMaintain={may.maintain}
        hasOldRef={merge !== null && merge.hasRef && (status === 'merged' || status === 'closed')}
      />
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1 text-muted">
        <StatusChip status={status} isPull={pull !== null} />
        {isPinned && (
          <span className="inline-flex items-center gap-1 text-sm text-accent-text">
            <Pin className="size-3.5" aria-hidden="true" />
            {t('pulls.pinned')}
          </span>
        )}
        <span>{t(pull ? 'pulls.proposes' : 'pulls.openedBy', { author: name })}</span>
        {branch !== undefined && (
          <Link
            href={fileAddress(repo, 'tree', branch)}
            className="rounded-md bg-hover px-1.5 font-mono text-sm break-all text-fg hover:underline"
          >
            {branch}
          </Link>
        )}
        <span>
          · <Ago date={createdAt} nowMs={ctx.clock.now()} language={language} />
        </span>
      </p>
      {pull && merge && (
        <div className="mt-1 border-b border-line">
          <LinkTabs
            label={t('pulls.parts')}
            tabs={[
              {
                href: discussionAddress(repo, num),
                label: t('pulls.conversation'),
                count: String(discussion.commentCount),
                current: part === 'conversation',
              },
              {
                href: discussionAddress(repo, num, 'commits'),
                label: t('pulls.commits'),
                count: String(merge.commits.length),
                current: part === 'commits',
              },
              {
                href: discussionAddress(repo, num, 'files'),
                label: t('pulls.files'),
                current: part === 'files',
              },
            ]}
          />
        </div>
      )}
    </header>
  );
}

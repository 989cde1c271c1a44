import { CircleCheck, CircleDot, GitBranch, GitCommitHorizontal, GitMerge, Pencil, Pin } from 'lucide-react';
import Link from 'next/link';
import { createElement, type ReactNode } from 'react';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { Ago } from '../kit/values.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { ShownEvent } from '../view-models/discussion-page.ts';

type Event = Extract<ShownEvent, { kind: 'other' }>['event'];

const short = (oid: string) => oid.slice(0, 7);
const STATUS_ICONS = { draft: CircleDot, open: CircleDot, closed: CircleCheck, merged: GitMerge } as const;

function iconOf(event: Event): ReactNode {
  if (event.kind === 'commit') return <GitCommitHorizontal />;
  if (event.kind === 'title-change') return <Pencil />;
  if (event.kind === 'pinning-change') return <Pin />;
  if (event.kind !== 'status-change') return <GitBranch />;
  return createElement(STATUS_ICONS[event.data.status]);
}

/** What somebody did, in a sentence. */
async function wordsOf(event: Event): Promise<string> {
  const t = await translator();
  const author = event.author?.name ?? t('pulls.deletedUser');
  switch (event.kind) {
    case 'status-change':
      return t(`pulls.did.${event.data.status}`, { author });
    case 'title-change':
      return t('pulls.did.renamed', { author, from: event.data.from, to: event.data.to });
    case 'pinning-change':
      return t(event.data.pinned ? 'pulls.did.pinned' : 'pulls.did.unpinned', { author });
    case 'commit':
      return t('pulls.did.pushed', { author });
    case 'head-change': {
      const { from, to, isRebase } = event.data;
      const words = isRebase ? 'pulls.did.rebased' : 'pulls.did.forced';
      return t(words, { author, from: short(from), to: short(to) });
    }
    case 'ref-deleted':
      return t('pulls.did.refDeleted', { author });
  }
}

/** One thing that happened between comments: a line on the thread. */
export async function EventLine({ repo, event }: { repo: RepoRef; event: Event }) {
  const [words, { language }, ctx] = await Promise.all([wordsOf(event), readerWishes(), pageContext()]);
  return (
    <li className="flex items-start gap-2.5 px-1 text-sm text-muted">
      <span className="mt-0.5 flex size-5 shrink-0 items-center justify-center rounded-full bg-hover [&>svg]:size-3.5">
        {iconOf(event)}
      </span>
      <span className="min-w-0 break-words">
        {words}{' '}
        {event.kind === 'commit' && (
          <Link href={fileAddress(repo, 'commit', event.data.oid)} className="text-fg hover:underline">
            <span className="font-mono text-xs">{short(event.data.oid)}</span> {event.data.subject}
          </Link>
        )}{' '}
        · <Ago date={event.createdAt} nowMs={ctx.clock.now()} language={language} />
      </span>
    </li>
  );
}

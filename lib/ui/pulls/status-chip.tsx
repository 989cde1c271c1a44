import {
  CircleCheck,
  CircleDot,
  GitMerge,
  GitPullRequest,
  GitPullRequestClosed,
  GitPullRequestDraft,
} from 'lucide-react';
import { createElement } from 'react';
import type { DiscussionStatus } from '#lib/repos/pulls/types.ts';
import { Chip } from '../kit/chip.tsx';
import { translator } from '../translator.ts';

const TONES = { draft: 'muted', open: 'ok', closed: 'bad', merged: 'info' } as const;
const COLOURS = { draft: 'text-muted', open: 'text-ok', closed: 'text-bad', merged: 'text-info' } as const;
const PULL_ICONS = {
  draft: GitPullRequestDraft,
  open: GitPullRequest,
  closed: GitPullRequestClosed,
  merged: GitMerge,
};

interface Props {
  readonly status: DiscussionStatus;
  readonly isPull: boolean;
}

function StatusIcon({ status, isPull, className }: Props & { className?: string }) {
  const plain = status === 'open' ? CircleDot : CircleCheck;
  return createElement(isPull ? PULL_ICONS[status] : plain, { 'aria-hidden': true, className });
}

/** The state as a word with its picture. */
export async function StatusChip({ status, isPull }: Props) {
  const t = await translator();
  return (
    <Chip tone={TONES[status]}>
      <StatusIcon status={status} isPull={isPull} />
      {t(`pulls.status.${status}`)}
    </Chip>
  );
}

/** The state as a picture, its word for who does not see it. */
export async function StatusMark({ status, isPull }: Props) {
  const t = await translator();
  const word = t(`pulls.status.${status}`);
  return (
    <span title={word} className={`mt-0.5 shrink-0 ${COLOURS[status]}`}>
      <StatusIcon status={status} isPull={isPull} className="size-4.5" />
      <span className="sr-only">{word}</span>
    </span>
  );
}

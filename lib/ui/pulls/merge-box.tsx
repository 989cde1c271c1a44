'use client';

import { CircleAlert, GitMerge, GitPullRequestClosed, GitPullRequestDraft, RefreshCw } from 'lucide-react';
import type { ReactNode } from 'react';
import type { RepoRef } from '#lib/repos/types.ts';
import { FormError } from '../account/form-error.tsx';
import { discussionApi } from '../addresses.ts';
import { callHub } from '../call-hub.ts';
import { cn } from '../cn.ts';
import { Button } from '../kit/button.tsx';
import { useTranslator } from '../reader.tsx';
import { useAction } from './use-action.ts';

/** What stands in the way of a merge, or nothing. */
export type MergeObstacle =
  | 'closed'
  | 'draft'
  | 'conflicts'
  | 'unknown'
  | 'empty'
  | 'noBranch'
  | 'noRef'
  | null;

interface Props {
  readonly repo: RepoRef;
  readonly num: number;
  /** Short name of the branch it goes to. */
  readonly branch: string;
  readonly obstacle: MergeObstacle;
  readonly conflicts: readonly string[];
  readonly behind: number;
  readonly mayMerge: boolean;
  readonly maySteer: boolean;
}

const ICONS = { draft: GitPullRequestDraft, closed: GitPullRequestClosed } as const;
const MAX_CONFLICTS = 50;

/** How a pull request stands to its branch, and the one thing to do next. */
export function MergeBox(props: Props) {
  const t = useTranslator();
  const { repo, num, branch, obstacle, behind, mayMerge, maySteer } = props;
  const { busy, error, run } = useAction();
  const call = (what: string, body?: unknown) =>
    run(() => callHub('POST', discussionApi(repo, num, what), body));
  const canRebase = maySteer && behind > 0 && (obstacle === null || obstacle === 'draft');
  return (
    <section
      aria-label={t('pulls.merge')}
      className={cn(
        'flex flex-col gap-3 rounded-lg border bg-surface px-4 py-3.5',
        obstacle === null ? 'border-ok/50' : obstacle === 'conflicts' ? 'border-warn/50' : 'border-line',
      )}
    >
      <Words {...props} />
      {behind > 0 && (obstacle === null || obstacle === 'draft') && (
        <p className="text-sm text-muted">{t('pulls.mergeBehind', { branch, count: behind })}</p>
      )}
      <FormError error={error} />
      <div className="flex flex-wrap items-center gap-2 empty:hidden">
        {obstacle === null && mayMerge && (
          <Button look="accent" disabled={busy} onClick={() => call('merge', {})}>
            <GitMerge />
            {t(busy ? 'pulls.merging' : 'pulls.merge')}
          </Button>
        )}
        {obstacle === 'draft' && maySteer && (
          <Button look="accent" disabled={busy} onClick={() => call('status', { status: 'open' })}>
            {t('pulls.publish')}
          </Button>
        )}
        {canRebase && (
          <Button disabled={busy} onClick={() => call('rebase', {})}>
            <RefreshCw />
            {t('pulls.rebase')}
          </Button>
        )}
        {obstacle === null && !mayMerge && <p className="text-sm text-muted">{t('pulls.mergeWhoMay')}</p>}
      </div>
    </section>
  );
}

function Head({
  tone,
  icon,
  title,
  children,
}: {
  tone: string;
  icon: ReactNode;
  title: string;
  children?: ReactNode;
}) {
  return (
    <div className="flex items-start gap-2.5">
      <span className={cn('mt-0.5 [&>svg]:size-4.5', tone)}>{icon}</span>
      <div className="min-w-0">
        <p className="font-semibold">{title}</p>
        {children && <div className="text-sm break-words text-muted">{children}</div>}
      </div>
    </div>
  );
}

function Words({ branch, obstacle, conflicts, maySteer }: Props) {
  const t = useTranslator();
  switch (obstacle) {
    case null:
      return (
        <Head tone="text-ok" icon={<GitMerge />} title={t('pulls.mergeReady')}>
          {t('pulls.mergeReadyText', { branch })}
        </Head>
      );
    case 'draft':
      return (
        <Head tone="text-muted" icon={<ICONS.draft />} title={t('pulls.mergeDraft')}>
          {t('pulls.mergeDraftText')}
        </Head>
      );
    case 'closed':
      return (
        <Head
          tone="text-bad"
          icon={<ICONS.closed />}
          title={t(maySteer ? 'pulls.closedText' : 'pulls.closedOther')}
        />
      );
    case 'conflicts':
      return (
        <Head tone="text-warn" icon={<CircleAlert />} title={t('pulls.mergeConflicts', { branch })}>
          <p>{t('pulls.mergeConflictsText', { branch })}</p>
          <ul className="mt-1.5 flex flex-col gap-0.5 font-mono text-xs text-fg">
            {conflicts.slice(0, MAX_CONFLICTS).map((path) => (
              <li key={path} className="break-all">
                {path}
              </li>
            ))}
            {conflicts.length > MAX_CONFLICTS && <li>…</li>}
          </ul>
        </Head>
      );
    case 'empty':
      return (
        <Head tone="text-muted" icon={<CircleAlert />} title={t('pulls.mergeEmpty')}>
          {t('pulls.mergeEmptyText', { branch })}
        </Head>
      );
    case 'noBranch':
      return (
        <Head tone="text-warn" icon={<CircleAlert />} title={t('pulls.mergeNoBranch')}>
          {t('pulls.mergeNoBranchText', { branch })}
        </Head>
      );
    default:
      return (
        <Head
          tone="text-warn"
          icon={<CircleAlert />}
          title={t(obstacle === 'noRef' ? 'pulls.mergeNoRef' : 'pulls.mergeUnknown')}
        />
      );
  }
}

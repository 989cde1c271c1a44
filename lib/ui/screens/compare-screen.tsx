import { GitCompare, GitPullRequest } from 'lucide-react';
import type { RepoRef } from '#lib/repos/types.ts';
import { discussionAddress } from '../addresses.ts';
import { DiffView } from '../diff/diff-view.tsx';
import { RangePicker } from '../diff/range-picker.tsx';
import { RawDiffLink } from '../diff/raw-diff-link.tsx';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { EmptyState, Notice, Panel, PanelHeader } from '../kit/panel.tsx';
import { orNotFound } from '../or-not-found.ts';
import { CommitLine } from '../repos/commit-line.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { ComparePage } from '../view-models/compare-page.ts';

/** Two revisions side by side: how far they are apart, the commits, and every file that differs. */
export async function CompareScreen({ repo: ref, range }: { repo: RepoRef; range: string }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const page = await orNotFound(hub().comparePage(ctx, ref, range));
  const { overview, choices, shown } = page;
  const { repo } = overview;
  const { type, namespace, name, defaultBranch } = repo;
  return (
    <>
      <RepoHeader overview={overview} tab="versions" />
      <div className="mb-4 flex flex-col gap-4">
        <RangePicker
          key={range}
          repo={{ type, namespace, name }}
          choices={choices}
          base={shown?.comparison.base.name ?? defaultBranch}
          head={shown?.comparison.head.name ?? defaultBranch}
          mode={shown?.comparison.mode ?? 'three-dot'}
        />
        {shown === null ? (
          <EmptyState icon={<GitCompare />} title={t('diff.chooseTitle')} text={t('diff.chooseText')} />
        ) : (
          <Summary page={page} />
        )}
      </div>
      {shown && (
        <DiffView
          repo={{ type, namespace, name }}
          range={shown.comparison.pinned}
          files={shown.comparison.files}
          isComplete={shown.comparison.isComplete}
          loaded={shown.loaded}
        />
      )}
    </>
  );
}

async function Summary({ page: { overview, shown, proposal } }: { page: ComparePage }) {
  const t = await translator();
  if (shown === null) return null;
  const { comparison } = shown;
  const { base, head, ahead, behind, commits, mergeBase, mode } = comparison;
  const hasNoBase = mergeBase === null && base.commitOid !== null && head.commitOid !== null;
  return (
    <>
      {hasNoBase && <Notice tone="info" title={t('diff.noMergeBase')} />}
      {mode === 'three-dot' && ahead === 0 && behind > 0 && (
        <Notice tone="info" title={t('diff.onlyBehind', { head: head.name, base: base.name })} />
      )}
      {commits.length > 0 && (
        <Panel className="overflow-hidden">
          <PanelHeader title={t('diff.ahead', { ahead, behind })}>
            <div className="flex flex-wrap gap-2">
              <RawDiffLink repo={overview.repo} range={comparison.pinned} />
              {proposal && (
                <ButtonLink
                  size="sm"
                  look="accent"
                  href={`${discussionAddress(overview.repo, 'new')}?${new URLSearchParams({ pull: '1', ...proposal })}`}
                >
                  <GitPullRequest />
                  {t('diff.openPull')}
                </ButtonLink>
              )}
            </div>
          </PanelHeader>
          <div className="max-h-72 overflow-y-auto [&>*:last-child]:border-b-0">
            {commits.map((commit) => (
              <CommitLine key={commit.oid} repo={overview.repo} commit={commit} />
            ))}
          </div>
        </Panel>
      )}
    </>
  );
}

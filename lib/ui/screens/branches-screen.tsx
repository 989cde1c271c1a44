import { GitCommitHorizontal, Tag } from 'lucide-react';
import type { RepoRef } from '#lib/repos/types.ts';
import { branchesAddress, fileAddress } from '../addresses.ts';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { EmptyState, Panel, PanelHeader } from '../kit/panel.tsx';
import { orNotFound } from '../or-not-found.ts';
import { BranchRow, DeletedRow, TagRow } from '../repos/branch-list.tsx';
import { NewRef } from '../repos/new-ref.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';

/** The branches and tags of a repo, and branches that can be brought back. */
export async function BranchesScreen({ repo: ref, page }: { repo: RepoRef; page: number }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const found = await orNotFound(hub().branchesPage(ctx, ref, page));
  const { overview, branches, tags, deleted } = found;
  const { repo, mayWrite } = overview;
  const from = { type: repo.type, namespace: repo.namespace, name: repo.name };
  return (
    <>
      <RepoHeader overview={overview} tab="versions" />
      <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-lg font-semibold">{t('history.branchesAndTags')}</h2>
        <ButtonLink size="sm" href={fileAddress(repo, 'commits', repo.defaultBranch)}>
          <GitCommitHorizontal />
          {t('history.commits')}
        </ButtonLink>
      </div>
      <div className="flex flex-col gap-5">
        <Panel>
          <PanelHeader title={<Counted label={t('repo.branches')} count={found.branchCount} />}>
            {mayWrite && <NewRef kind="branch" repo={from} from={repo.defaultBranch} />}
          </PanelHeader>
          <ul className="divide-y divide-line">
            {branches.map((line) => (
              <BranchRow key={line.name} repo={repo} mayWrite={mayWrite} line={line} />
            ))}
          </ul>
        </Panel>
        <Panel>
          <PanelHeader title={<Counted label={t('repo.tags')} count={found.tagCount} />}>
            {mayWrite && <NewRef kind="tag" repo={from} from={repo.defaultBranch} />}
          </PanelHeader>
          {found.tagCount === 0 ? (
            <EmptyState icon={<Tag />} title={t('history.noTags')} text={t('history.noTagsText')} />
          ) : (
            <ul className="divide-y divide-line">
              {tags.map((line) => (
                <TagRow key={line.name} repo={repo} mayWrite={mayWrite} line={line} />
              ))}
            </ul>
          )}
        </Panel>
        {deleted.length > 0 && page === 0 && (
          <Panel>
            <PanelHeader title={t('history.recentlyDeleted')} />
            <ul className="divide-y divide-line">
              {deleted.map((entry) => (
                <DeletedRow key={entry.id} repo={repo} entry={entry} />
              ))}
            </ul>
          </Panel>
        )}
      </div>
      <nav aria-label={t('words.pagination')} className="mt-4 flex justify-end gap-2">
        {page > 0 && (
          <ButtonLink href={`${branchesAddress(repo)}?p=${page - 1}`}>{t('words.previous')}</ButtonLink>
        )}
        {found.hasNext && (
          <ButtonLink href={`${branchesAddress(repo)}?p=${page + 1}`}>{t('words.next')}</ButtonLink>
        )}
      </nav>
    </>
  );
}

function Counted({ label, count }: { label: string; count: number }) {
  return (
    <>
      {label} <span className="tabular ml-1 text-sm font-normal text-muted">{count}</span>
    </>
  );
}

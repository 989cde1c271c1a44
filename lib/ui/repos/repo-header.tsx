import { BookText, Files, GitCommitHorizontal, Globe, Lock, MessagesSquare, Settings } from 'lucide-react';
import Link from 'next/link';
import { discussionAddress, fileAddress, listAddress, repoAddress } from '../addresses.ts';
import { cn } from '../cn.ts';
import { formatCount, formatParameters } from '../format.ts';
import { Chip } from '../kit/chip.tsx';
import { CopyButton } from '../kit/copy-button.tsx';
import { LinkTabs } from '../kit/link-tabs.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { RepoOverview } from '../view-models/repo-overview.ts';
import { downloadSnippets } from '../view-models/snippets.ts';
import { weightFiles } from '../view-models/weights.ts';
import { DeployButton } from './deploy-button.tsx';
import { UseButton } from './use-button.tsx';

export type RepoTab = 'card' | 'files' | 'versions' | 'discussions' | 'storage' | 'settings';

/** Name, short facts, the two things to do, and the sections of a repo. Phones show it whole above the card only. */
export async function RepoHeader({
  overview,
  tab,
  revision,
}: {
  overview: RepoOverview;
  tab: RepoTab;
  revision?: string;
}) {
  const { repo } = overview;
  const t = await translator();
  const isDataset = repo.type === 'dataset';
  return (
    <div className="relative isolate -mt-6 mb-6 pt-5 before:absolute before:inset-y-0 before:left-1/2 before:-z-10 before:w-screen before:-translate-x-1/2 before:border-b before:border-line before:bg-surface">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="flex min-w-0 flex-col gap-2">
          <h1 className="flex flex-wrap items-center gap-x-1.5 text-xl leading-7 font-semibold break-all">
            <Link
              href={listAddress(repo.type)}
              className="mr-1 rounded-md bg-hover px-1.5 text-xs font-normal text-muted hover:text-fg"
            >
              {t(isDataset ? 'repo.dataset' : 'repo.model')}
            </Link>
            <Link
              href={`/${encodeURIComponent(repo.namespace)}`}
              className="font-normal text-muted hover:text-fg hover:underline"
            >
              {repo.namespace}
            </Link>
            <span className="font-normal text-muted">/</span>
            <Link href={repoAddress(repo)} className="hover:underline">
              {repo.name}
            </Link>
            <CopyButton text={`${repo.namespace}/${repo.name}`} label={t('repo.copyName')} />
          </h1>
          <HeaderChips overview={overview} tab={tab} />
        </div>
        <HeaderActions overview={overview} tab={tab} />
      </div>
      <HeaderTabs overview={overview} tab={tab} revision={revision ?? repo.defaultBranch} />
    </div>
  );
}

async function HeaderChips({ overview: { repo, facts }, tab }: { overview: RepoOverview; tab: RepoTab }) {
  const t = await translator();
  const isPrivate = repo.visibility === 'private';
  return (
    <div className={cn('flex flex-wrap gap-1.5', tab !== 'card' && 'max-md:[&>*:nth-child(n+2)]:hidden')}>
      <Chip tone={isPrivate ? 'warn' : 'muted'}>
        {isPrivate ? <Lock /> : <Globe />}
        {t(isPrivate ? 'words.private' : 'words.public')}
      </Chip>
      {facts?.pipelineTag && <Chip>{facts.pipelineTag.replaceAll('-', ' ')}</Chip>}
      {facts?.parameters && (
        <Chip>{t('catalog.parameters', { count: formatParameters(facts.parameters) })}</Chip>
      )}
      {facts?.libraryName && !facts.formats.includes(facts.libraryName) && <Chip>{facts.libraryName}</Chip>}
      {facts?.formats.map((format) => (
        <Chip key={format}>{format}</Chip>
      ))}
      {facts?.license && (
        <Chip>
          <span className="text-muted">{t('repo.license')}</span> {facts.license}
        </Chip>
      )}
    </div>
  );
}

async function HeaderActions({ overview, tab }: { overview: RepoOverview; tab: RepoTab }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const { repo, facts, files } = overview;
  const id = `${repo.namespace}/${repo.name}`;
  const snippets = downloadSnippets({
    type: repo.type,
    id,
    publicUrl: ctx.publicUrl,
    isPrivate: repo.visibility === 'private',
    library: facts?.libraryName ?? null,
    file: weightFiles(files)[0]?.path ?? null,
    revision: repo.defaultBranch,
  });
  const isPrivate = repo.visibility === 'private';
  return (
    <div className={cn('flex flex-wrap items-center gap-2', tab !== 'card' && 'max-md:hidden')}>
      <UseButton
        label={t(repo.type === 'dataset' ? 'repo.useDataset' : 'repo.use')}
        text={isPrivate ? `${t('repo.useText')} ${t('repo.useToken')}` : t('repo.useText')}
        snippets={snippets}
      />
      {repo.type === 'model' && (
        <DeployButton
          namespace={repo.namespace}
          name={repo.name}
          isFirst={tab === 'card'}
          obstacle={overview.canDeploy ? (ctx.principal.kind === 'user' ? null : 'signIn') : 'noGguf'}
        />
      )}
    </div>
  );
}

async function HeaderTabs({
  overview,
  tab,
  revision,
}: {
  overview: RepoOverview;
  tab: RepoTab;
  revision: string;
}) {
  const [t, { language }] = await Promise.all([translator(), readerWishes()]);
  const { repo, files, hasMoreFiles, commitCount, openDiscussions } = overview;
  const tabs = [
    { href: repoAddress(repo), label: t('repo.card'), icon: <BookText />, current: tab === 'card' },
    {
      href: fileAddress(repo, 'tree', revision),
      label: t('repo.files'),
      icon: <Files />,
      count: files.length > 0 ? `${files.length}${hasMoreFiles ? '+' : ''}` : null,
      current: tab === 'files',
    },
    {
      href: fileAddress(repo, 'commits', revision),
      label: t('repo.versions'),
      icon: <GitCommitHorizontal />,
      count: commitCount > 0 ? formatCount(commitCount, language) : null,
      current: tab === 'versions',
    },
    {
      href: discussionAddress(repo),
      label: t('pulls.tab'),
      icon: <MessagesSquare />,
      count: openDiscussions > 0 ? formatCount(openDiscussions, language) : null,
      current: tab === 'discussions',
    },
    ...(overview.mayWrite
      ? [
          {
            href: `${repoAddress(repo)}/settings`,
            label: t('history.settings'),
            icon: <Settings />,
            current: tab === 'settings',
          },
        ]
      : []),
  ];
  return (
    <div className="mt-3">
      <LinkTabs label={t('repo.sections')} tabs={tabs} />
    </div>
  );
}

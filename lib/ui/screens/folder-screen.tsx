import { PackageOpen, Upload } from 'lucide-react';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { CodeBlock } from '../kit/code-block.tsx';
import { EmptyState, Panel, PanelHeader } from '../kit/panel.tsx';
import { Markdown } from '../markdown/markdown.tsx';
import { orNotFound } from '../or-not-found.ts';
import { AddFileMenu } from '../repos/add-file-menu.tsx';
import { CommitLine } from '../repos/commit-line.tsx';
import { DownloadMenu } from '../repos/download-menu.tsx';
import { FileTable } from '../repos/file-table.tsx';
import { PathBar } from '../repos/path-bar.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';
import { DropOnFolder, UnfinishedUploads } from '../upload/drop-on-folder.tsx';
import type { FolderPage } from '../view-models/folder-page.ts';
import { folderCommands, uploadSnippet } from '../view-models/snippets.ts';

/** A folder of a repo at a revision. */
export async function FolderScreen(props: { repo: RepoRef; tail: string; after: string | undefined }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const page = await orNotFound(hub().folderPage(ctx, props.repo, props.tail, props.after));
  const { place, lines, next, lastCommit } = page;
  const { repo } = place.overview;
  const repoRef = { type: repo.type, namespace: repo.namespace, name: repo.name };
  return (
    <>
      <RepoHeader overview={place.overview} tab="files" revision={place.revision} />
      <div className="flex flex-wrap items-start justify-between gap-x-3">
        <PathBar place={place} view="tree" />
        <div className="mb-3 flex flex-wrap gap-2">
          {lines.length > 0 && (
            <DownloadMenu
              repo={repoRef}
              revision={place.revision}
              folder={place.path}
              commands={commandsOf(page, ctx.publicUrl)}
            />
          )}
          {place.branch !== null && ctx.principal.kind === 'user' && (
            <AddFileMenu repo={repoRef} branch={place.branch} folder={place.path} />
          )}
        </div>
      </div>
      {ctx.principal.kind === 'user' && (
        <UnfinishedUploads place={{ repo: repoRef, user: ctx.principal.name }} />
      )}
      {place.branch !== null && ctx.principal.kind === 'user' && (
        <DropOnFolder place={{ repo: repoRef, branch: place.branch, folder: place.path }} />
      )}
      <Panel className="overflow-hidden">
        {lastCommit && <CommitLine repo={repo} commit={lastCommit} />}
        {lines.length === 0 ? (
          <EmptyState icon={<PackageOpen />} title={t('repo.emptyTitle')} text={t('repo.emptyText')}>
            {place.branch !== null && ctx.principal.kind === 'user' && (
              <ButtonLink look="accent" href={fileAddress(repo, 'upload', place.branch, place.path)}>
                <Upload />
                {t('upload.title')}
              </ButtonLink>
            )}
            <CodeBlock code={uploadSnippet(ctx.publicUrl, `${repo.namespace}/${repo.name}`, repo.type)} />
          </EmptyState>
        ) : (
          <FileTable page={page} />
        )}
      </Panel>
      {(props.after || next) && (
        <nav aria-label={t('words.pagination')} className="mt-4 flex justify-end gap-2">
          {props.after && (
            <ButtonLink href={fileAddress(repo, 'tree', place.revision, place.path)}>
              {t('words.firstPage')}
            </ButtonLink>
          )}
          {next && (
            <ButtonLink
              rel="next"
              href={`${fileAddress(repo, 'tree', place.revision, place.path)}?after=${encodeURIComponent(next)}`}
            >
              {t('words.next')}
            </ButtonLink>
          )}
        </nav>
      )}
      <FolderCard page={page} />
    </>
  );
}

function commandsOf({ place }: FolderPage, publicUrl: string) {
  const { repo } = place.overview;
  return folderCommands({
    publicUrl,
    type: repo.type,
    id: `${repo.namespace}/${repo.name}`,
    isPrivate: repo.visibility === 'private',
    revision: place.revision,
    defaultBranch: repo.defaultBranch,
    isRef: [...place.branches, ...place.tags].includes(place.revision),
    folder: place.path,
  });
}

async function FolderCard({ page: { place, card } }: { page: FolderPage }) {
  if (!card?.text.trim()) return null;
  return (
    <Panel className="mt-6">
      <PanelHeader title="README.md" />
      <div className="px-4 py-5 md:px-8 md:py-7">
        <Markdown
          text={card.text}
          place={{ repo: place.overview.repo, revision: place.revision, folder: place.path }}
        />
      </div>
    </Panel>
  );
}

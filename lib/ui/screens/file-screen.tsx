import { Code, Download, History, Pencil } from 'lucide-react';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { DeleteFileButton } from '../editor/delete-file-button.tsx';
import { hub } from '../hub.ts';
import { ButtonAnchor, ButtonLink } from '../kit/button.tsx';
import { Panel } from '../kit/panel.tsx';
import { Size } from '../kit/values.tsx';
import { orNotFound } from '../or-not-found.ts';
import { CommitLine } from '../repos/commit-line.tsx';
import { FileViewer } from '../repos/file-viewer.tsx';
import { PathBar } from '../repos/path-bar.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { FilePage } from '../view-models/file-page.ts';

/** A file of a repo at a revision. */
export async function FileScreen({ repo, tail }: { repo: RepoRef; tail: string }) {
  const ctx = await pageContext();
  const page = await orNotFound(hub().filePage(ctx, repo, tail));
  return (
    <>
      <RepoHeader overview={page.place.overview} tab="files" revision={page.place.revision} />
      <PathBar place={page.place} view="blob" />
      <Panel className="overflow-hidden">
        {page.lastCommit && <CommitLine repo={page.place.overview.repo} commit={page.lastCommit} />}
        <Actions page={page} />
        <FileViewer page={page} />
      </Panel>
    </>
  );
}

async function Actions({ page: { place, entry, view } }: { page: FilePage }) {
  const [t, { principal }] = await Promise.all([translator(), pageContext()]);
  const { repo } = place.overview;
  const isText = (view.kind === 'text' || view.kind === 'markdown') && entry.lfs === undefined;
  return (
    <div className="flex flex-wrap items-center justify-between gap-2 border-b border-line px-4 py-2">
      <p className="flex flex-wrap items-center gap-x-3 text-sm text-muted">
        <Size bytes={entry.sizeBytes} exact={t('words.bytes', { count: entry.sizeBytes })} />
        {entry.lfs && (
          <span className="font-mono text-xs break-all" title={`sha256 ${entry.lfs.sha256}`}>
            sha256 {entry.lfs.sha256.slice(0, 12)}…
          </span>
        )}
      </p>
      <div className="flex flex-wrap gap-2">
        <ButtonAnchor size="sm" href={fileAddress(repo, 'raw', place.revision, entry.path)}>
          <Code />
          {t('repo.raw')}
        </ButtonAnchor>
        <ButtonAnchor
          size="sm"
          href={`${fileAddress(repo, 'resolve', place.revision, entry.path)}?download=true`}
          download
        >
          <Download />
          {t('repo.download')}
        </ButtonAnchor>
        <ButtonLink size="sm" href={fileAddress(repo, 'commits', place.revision, entry.path)}>
          <History />
          {t('repo.history')}
        </ButtonLink>
        {place.branch !== null && isText && principal.kind === 'user' && (
          <ButtonLink size="sm" href={fileAddress(repo, 'edit', place.branch, entry.path)}>
            <Pencil />
            {t('edit.edit')}
          </ButtonLink>
        )}
        {place.branch !== null && place.overview.mayWrite && (
          <DeleteFileButton
            repo={{ type: repo.type, namespace: repo.namespace, name: repo.name }}
            branch={place.branch}
            commit={place.commitOid}
            path={entry.path}
            oid={entry.oid}
          />
        )}
      </div>
    </div>
  );
}

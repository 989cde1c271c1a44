import { FileText, PackageOpen, Upload } from 'lucide-react';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { formatSize } from '../format.ts';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { CodeBlock } from '../kit/code-block.tsx';
import { EmptyState, Notice, Panel } from '../kit/panel.tsx';
import { MAX_CARD_BYTES } from '../limits.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { orNotFound } from '../or-not-found.ts';
import { FactsPanel } from '../repos/facts-panel.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';
import { DropOnFolder } from '../upload/drop-on-folder.tsx';
import type { Card } from '../view-models/card.ts';
import type { RepoOverview } from '../view-models/repo-overview.ts';
import { uploadSnippet } from '../view-models/snippets.ts';

const ROOT_LIMIT = 1_000;

/** The first page of a repo: its card left, what is known of it right. */
export async function RepoScreen(ref: RepoRef) {
  const ctx = await pageContext();
  const overview = await orNotFound(hub().repoOverview(ctx, ref));
  const { repo, facts } = overview;
  const root = facts
    ? await hub().listTree(ctx, repo, facts.commitOid, '', { recursive: false, limit: ROOT_LIMIT })
    : null;
  const card = root && (await hub().readCard(ctx, repo, root.entries));
  return (
    <>
      <RepoHeader overview={overview} tab="card" />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <Panel className="min-w-0 px-4 py-5 md:px-8 md:py-7">
          {card?.text.trim() ? <CardText overview={overview} card={card} /> : <NoCard overview={overview} />}
        </Panel>
        <aside className="min-w-0">
          <FactsPanel overview={overview} />
        </aside>
      </div>
    </>
  );
}

async function CardText({ overview: { repo }, card }: { overview: RepoOverview; card: Card }) {
  const t = await translator();
  return (
    <article className="flex flex-col gap-4">
      {card.warnings.length > 0 && (
        <Notice tone="warn" title={t('repo.cardWarnings')}>
          <ul>
            {card.warnings.map((warning) => (
              <li key={warning}>{warning}</li>
            ))}
          </ul>
        </Notice>
      )}
      <Markdown text={card.text} place={{ repo, revision: repo.defaultBranch, folder: '' }} />
      {card.isCut && (
        <Notice tone="info" title={t('repo.cardTooLong', { size: formatSize(MAX_CARD_BYTES) })} />
      )}
    </article>
  );
}

async function NoCard({ overview: { repo, files, mayWrite } }: { overview: RepoOverview }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const id = `${repo.namespace}/${repo.name}`;
  const isEmpty = files.every((file) => file.path === '.gitattributes');
  return (
    <EmptyState
      icon={isEmpty ? <PackageOpen /> : <FileText />}
      title={t(isEmpty ? 'repo.emptyTitle' : 'repo.noCardTitle')}
      text={t(isEmpty ? 'repo.emptyText' : 'repo.noCardText')}
    >
      {mayWrite && isEmpty && (
        <>
          <ButtonLink look="accent" href={fileAddress(repo, 'upload', repo.defaultBranch)}>
            <Upload />
            {t('upload.title')}
          </ButtonLink>
          <DropOnFolder
            place={{
              repo: { type: repo.type, namespace: repo.namespace, name: repo.name },
              branch: repo.defaultBranch,
              folder: '',
            }}
          />
        </>
      )}
      {mayWrite && (
        <CodeBlock
          code={
            isEmpty
              ? uploadSnippet(ctx.publicUrl, id, repo.type)
              : readmeSnippet(ctx.publicUrl, id, repo.type)
          }
        />
      )}
    </EmptyState>
  );
}

function readmeSnippet(publicUrl: string, id: string, type: RepoRef['type']): string {
  return uploadSnippet(publicUrl, id, type).replace('./folder', 'README.md');
}

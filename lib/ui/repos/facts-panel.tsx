import Link from 'next/link';
import type { ReactNode } from 'react';
import { visibleText } from '#lib/base/visible-text.ts';
import { fileAddress, repoAddress } from '../addresses.ts';
import { formatCount, formatParameters, formatSize } from '../format.ts';
import { hub } from '../hub.ts';
import { Chip } from '../kit/chip.tsx';
import { Panel, PanelHeader } from '../kit/panel.tsx';
import { Size } from '../kit/values.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { formatShare } from '../storage/format-share.ts';
import { translator } from '../translator.ts';
import type { RepoOverview } from '../view-models/repo-overview.ts';
import { quantisationOf, weightFiles } from '../view-models/weights.ts';

const SHOWN_WEIGHTS = 8;
const SHOWN_TAGS = 24;

/** What is known of a repo, beside its card. */
export async function FactsPanel({ overview }: { overview: RepoOverview }) {
  const t = await translator();
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <Panel>
        <PanelHeader title={t('repo.facts')} />
        <dl className="divide-y divide-line px-4">
          <FactRows overview={overview} />
        </dl>
      </Panel>
      <Precisions overview={overview} />
      <Weights overview={overview} />
      <Stored overview={overview} />
      <Tags tags={ownTags(overview.facts?.tags ?? [])} />
    </div>
  );
}

/** Tags without those that only repeat a row of the facts. */
function ownTags(tags: readonly string[]): string[] {
  return tags.filter((tag) => !/^(?:base_model|license|region|dataset):/.test(tag));
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="flex items-baseline justify-between gap-4 py-2">
      <dt className="shrink-0 text-muted">{name}</dt>
      <dd className="min-w-0 text-right break-words">{children}</dd>
    </div>
  );
}

async function FactRows({ overview: { repo, facts, files, hasMoreFiles } }: { overview: RepoOverview }) {
  const [t, { language }] = await Promise.all([translator(), readerWishes()]);
  const gguf = facts?.gguf;
  const model = typeof facts?.config?.model_type === 'string' ? facts.config.model_type : null;
  const architecture = gguf?.architecture ?? model;
  const bytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const more = hasMoreFiles ? '+' : '';
  return (
    <>
      {facts?.parameters && <Fact name={t('repo.parameters')}>{formatParameters(facts.parameters)}</Fact>}
      {architecture && <Fact name={t('repo.architecture')}>{architecture}</Fact>}
      {gguf?.context_length && (
        <Fact name={t('repo.context')}>
          {t('repo.contextTokens', { count: new Intl.NumberFormat(language).format(gguf.context_length) })}
        </Fact>
      )}
      {gguf && <Fact name={t('repo.chatTemplate')}>{t(gguf.chat_template ? 'repo.yes' : 'repo.no')}</Fact>}
      {facts && facts.formats.length > 0 && <Fact name={t('repo.formats')}>{facts.formats.join(', ')}</Fact>}
      {facts && facts.baseModels.length > 0 && (
        <Fact name={t('repo.baseModel')}>{facts.baseModels.join(', ')}</Fact>
      )}
      {facts && facts.languages.length > 0 && (
        <Fact name={t('repo.languages')}>{facts.languages.slice(0, 12).join(', ')}</Fact>
      )}
      <Fact name={t('repo.totalSize')}>
        <Size bytes={bytes} exact={t('words.bytes', { count: bytes })} />
        {more}
      </Fact>
      <Fact name={t('repo.fileCount')}>
        {files.length}
        {more}
      </Fact>
      <Fact name={t('repo.downloads')}>{formatCount(repo.downloads, language)}</Fact>
    </>
  );
}

/** Parameters by dtype as a bar with its legend. */
async function Precisions({ overview: { facts } }: { overview: RepoOverview }) {
  const t = await translator();
  const counts = Object.entries(facts?.safetensors?.parameters ?? {}).sort((a, b) => b[1] - a[1]);
  const total = counts.reduce((sum, [, count]) => sum + count, 0);
  if (total === 0) return null;
  const shades = ['bg-accent', 'bg-info', 'bg-ok', 'bg-bad', 'bg-muted'];
  return (
    <Panel className="p-4">
      <h3 className="mb-2 text-sm text-muted">{t('repo.parameters')}</h3>
      <div className="mb-2 flex h-2 overflow-hidden rounded-full" aria-hidden="true">
        {counts.map(([dtype, count], i) => (
          <div
            key={dtype}
            className={shades[i % shades.length]}
            style={{ width: `${(count / total) * 100}%` }}
          />
        ))}
      </div>
      <ul className="flex flex-wrap gap-x-4 gap-y-1 text-sm">
        {counts.map(([dtype, count], i) => (
          <li key={dtype} className="flex items-center gap-1.5">
            <span aria-hidden="true" className={`size-2 rounded-full ${shades[i % shades.length]}`} />
            <span className="font-mono text-xs">{dtype}</span>
            <span className="tabular text-muted">{formatParameters(count)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

async function Weights({ overview: { repo, files, facts } }: { overview: RepoOverview }) {
  const t = await translator();
  const weights = weightFiles(files);
  if (weights.length === 0 || facts === null) return null;
  return (
    <Panel>
      <PanelHeader title={t('repo.weights')}>
        <Link
          href={fileAddress(repo, 'tree', repo.defaultBranch)}
          className="text-sm text-muted hover:text-fg hover:underline"
        >
          {t('repo.browseFiles')}
        </Link>
      </PanelHeader>
      <ul className="divide-y divide-line px-4">
        {weights.slice(0, SHOWN_WEIGHTS).map((file) => (
          <li key={file.path} className="flex items-baseline justify-between gap-3 py-2">
            <Link
              href={fileAddress(repo, 'blob', repo.defaultBranch, file.path)}
              className="min-w-0 font-mono text-xs break-all hover:underline"
            >
              {visibleText(file.path)}
            </Link>
            <span className="flex shrink-0 items-baseline gap-2 text-sm text-muted">
              {quantisationOf(file.path) && (
                <span className="font-mono text-xs">{quantisationOf(file.path)}</span>
              )}
              <span className="tabular" title={t('words.bytes', { count: file.sizeBytes })}>
                {formatSize(file.sizeBytes)}
              </span>
            </span>
          </li>
        ))}
      </ul>
      {weights.length > SHOWN_WEIGHTS && (
        <p className="border-t border-line px-4 py-2 text-sm text-muted">
          {t('repo.moreFiles', { count: weights.length - SHOWN_WEIGHTS })}
        </p>
      )}
    </Panel>
  );
}

/** What the large files take in the store, and what of it is saved. */
async function Stored({ overview: { repo } }: { overview: RepoOverview }) {
  const [t, ctx, { language }] = await Promise.all([translator(), pageContext(), readerWishes()]);
  const { logicalBytes, storedBytes } = await hub().summarizeStorage(ctx, repo);
  if (logicalBytes === 0) return null;
  return (
    <Panel>
      <PanelHeader title={t('storage.title')}>
        <Link
          href={`${repoAddress(repo)}/storage`}
          className="text-sm text-muted hover:text-fg hover:underline"
        >
          {t('storage.see')}
        </Link>
      </PanelHeader>
      {storedBytes !== null && (
        <div className="mx-4 mt-3 flex h-2 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
          <div
            className="bg-accent"
            style={{ width: `${Math.min(100, (storedBytes / logicalBytes) * 100)}%` }}
          />
        </div>
      )}
      <dl className="divide-y divide-line px-4">
        <Fact name={t('storage.logical')}>
          <Size bytes={logicalBytes} exact={t('words.bytes', { count: logicalBytes })} />
        </Fact>
        {storedBytes !== null && (
          <Fact name={t('storage.storedAll')}>
            <Size bytes={storedBytes} exact={t('words.bytes', { count: storedBytes })} />
            {storedBytes < logicalBytes && (
              <span className="ml-2 text-sm text-muted">
                {t('storage.saved', {
                  percent: formatShare(logicalBytes - storedBytes, logicalBytes, language),
                })}
              </span>
            )}
          </Fact>
        )}
      </dl>
    </Panel>
  );
}

async function Tags({ tags }: { tags: readonly string[] }) {
  const t = await translator();
  if (tags.length === 0) return null;
  return (
    <Panel className="p-4">
      <h3 className="mb-2 text-sm text-muted">{t('repo.tags')}</h3>
      <ul className="flex flex-wrap gap-1.5">
        {tags.slice(0, SHOWN_TAGS).map((tag) => (
          <li key={tag} className="flex max-w-full">
            <Chip tone="muted" className="break-all whitespace-normal">
              {tag}
            </Chip>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

import { FileQuestion, Hourglass, TriangleAlert } from 'lucide-react';
import { visibleText } from '#lib/base/visible-text.ts';
import { fileAddress } from '../addresses.ts';
import { formatParameters, formatSize } from '../format.ts';
import { EmptyState } from '../kit/panel.tsx';
import { Tabs } from '../kit/tabs.tsx';
import { Markdown } from '../markdown/markdown.tsx';
import { translator } from '../translator.ts';
import type { FilePage } from '../view-models/file-page.ts';
import { SourceView } from './source-view.tsx';
import { MetadataTable, TensorTable } from './tensor-table.tsx';

/** Shows a file by its kind, or says why it is not shown. */
export async function FileViewer({ page: { place, entry, view } }: { page: FilePage }) {
  const t = await translator();
  const { repo } = place.overview;
  const size = formatSize(entry.sizeBytes);
  switch (view.kind) {
    case 'text':
      return <SourceView text={view.text} path={entry.path} isCut={view.isCut} />;
    case 'markdown': {
      const folder = entry.path.includes('/') ? entry.path.slice(0, entry.path.lastIndexOf('/')) : '';
      const rendered = (
        <div className="px-4 py-5 md:px-8">
          <Markdown text={view.card.text} place={{ repo, revision: place.revision, folder }} />
        </div>
      );
      const source = <SourceView text={view.text} path={entry.path} isCut={view.isCut} />;
      return (
        <Tabs
          label={visibleText(entry.path)}
          tabs={[
            { id: 'rendered', label: t('repo.rendered'), content: rendered },
            { id: 'source', label: t('repo.source'), content: source },
          ]}
        />
      );
    }
    case 'image':
      return (
        <div className="flex justify-center bg-sunken p-6">
          {/* oxlint-disable-next-line nextjs/no-img-element -- a stranger's picture is shown as it is */}
          <img
            src={fileAddress(repo, 'resolve', place.commitOid, entry.path)}
            alt={visibleText(entry.path)}
            className="max-h-[70vh] max-w-full object-contain"
          />
        </div>
      );
    case 'tensors':
      return (
        <Tabs
          label={visibleText(entry.path)}
          note={t('catalog.parameters', { count: formatParameters(view.view.parameters) })}
          tabs={[
            {
              id: 'tensors',
              label: `${t('repo.tensors')} ${view.view.tensorCount}`,
              content: <TensorTable tensors={view.view.tensors} tensorCount={view.view.tensorCount} />,
            },
            {
              id: 'metadata',
              label: `${t('repo.metadata')} ${view.view.metadata.length}`,
              content: <MetadataTable metadata={view.view.metadata} />,
            },
          ]}
        />
      );
    case 'unreadable':
      return (
        <EmptyState icon={<TriangleAlert />} title={t('repo.headerUnreadable', { reason: view.reason })} />
      );
    case 'pending':
      return <EmptyState icon={<Hourglass />} title={t('repo.pending')} />;
    case 'binary':
      return <EmptyState icon={<FileQuestion />} title={t('repo.binary', { size })} />;
  }
}

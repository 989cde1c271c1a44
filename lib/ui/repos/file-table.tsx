import { File, Folder, FolderUp } from 'lucide-react';
import Link from 'next/link';
import { visibleText } from '#lib/base/visible-text.ts';
import { fileAddress } from '../addresses.ts';
import { Ago, Size } from '../kit/values.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { FolderLine, FolderPage } from '../view-models/folder-page.ts';

const cell = 'h-9 px-2 py-1 first:pl-4 last:pr-4 max-md:h-11';

/** The entries of a folder as a table. */
export async function FileTable({ page: { place, lines } }: { page: FolderPage }) {
  const t = await translator();
  const { repo } = place.overview;
  const parent = place.path.includes('/') ? place.path.slice(0, place.path.lastIndexOf('/')) : '';
  return (
    <table className="w-full table-fixed border-collapse text-left">
      <caption className="sr-only">{t('repo.files')}</caption>
      <thead>
        <tr className="border-b border-line text-sm text-muted">
          <th scope="col" className={`${cell} font-normal`}>
            {t('repo.name')}
          </th>
          <th scope="col" className={`${cell} w-24 text-right font-normal`}>
            {t('repo.size')}
          </th>
          <th scope="col" className={`${cell} w-20 font-normal max-md:hidden`}>
            {t('repo.storedAs')}
          </th>
          <th scope="col" className={`${cell} w-[34%] font-normal max-md:hidden`}>
            {t('repo.lastChange')}
          </th>
          <th scope="col" className={`${cell} w-32 text-right font-normal max-sm:hidden`}>
            {t('repo.when')}
          </th>
        </tr>
      </thead>
      <tbody>
        {place.path !== '' && (
          <tr className="border-b border-line hover:bg-hover">
            <td className={cell}>
              <Link
                href={fileAddress(repo, 'tree', place.revision, parent)}
                className="flex items-center gap-2"
              >
                <FolderUp className="size-4 text-muted" aria-hidden="true" />
                <span aria-hidden="true">..</span>
                <span className="sr-only">{t('repo.parentFolder')}</span>
              </Link>
            </td>
          </tr>
        )}
        {lines.map((line) => (
          <Row key={line.name} line={line} page={place} />
        ))}
      </tbody>
    </table>
  );
}

async function Row({
  line: { entry, name, lastCommit },
  page,
}: {
  line: FolderLine;
  page: FolderPage['place'];
}) {
  const [t, { language }, ctx] = await Promise.all([translator(), readerWishes(), pageContext()]);
  const isFolder = entry.type === 'directory';
  const Icon = isFolder ? Folder : File;
  const href = fileAddress(page.overview.repo, isFolder ? 'tree' : 'blob', page.revision, entry.path);
  const stored = isFolder ? '' : entry.xetHash ? 'Xet' : entry.lfs ? 'LFS' : 'git';
  return (
    <tr className="border-b border-line last:border-b-0 hover:bg-hover">
      <td className={cell}>
        <Link href={href} className="flex min-w-0 items-center gap-2 hover:underline">
          <Icon
            className={`size-4 shrink-0 ${isFolder ? 'fill-accent/25 text-accent-text' : 'text-muted'}`}
            aria-label={t(isFolder ? 'repo.folder' : 'repo.file')}
          />
          <span className="truncate font-mono text-sm" title={visibleText(name)}>
            {visibleText(name)}
          </span>
        </Link>
      </td>
      <td className={`${cell} text-right text-sm text-muted`}>
        {!isFolder && <Size bytes={entry.sizeBytes} exact={t('words.bytes', { count: entry.sizeBytes })} />}
      </td>
      <td className={`${cell} text-sm text-muted max-md:hidden`}>{stored}</td>
      <td
        className={`${cell} truncate text-sm text-muted max-md:hidden`}
        {...(lastCommit && { title: visibleText(lastCommit.title) })}
      >
        {lastCommit && (
          <Link
            href={fileAddress(page.overview.repo, 'commit', lastCommit.oid)}
            prefetch={false}
            className="hover:text-fg hover:underline"
          >
            {visibleText(lastCommit.title) || t('repo.noMessage')}
          </Link>
        )}
      </td>
      <td className={`${cell} text-right text-sm text-muted max-sm:hidden`}>
        {lastCommit && <Ago date={lastCommit.date} nowMs={ctx.clock.now()} language={language} />}
      </td>
    </tr>
  );
}

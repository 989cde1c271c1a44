import Link from 'next/link';
import { Fragment } from 'react';
import { visibleText } from '#lib/base/visible-text.ts';
import { fileAddress, type RepoView } from '../addresses.ts';
import { CopyButton } from '../kit/copy-button.tsx';
import { translator } from '../translator.ts';
import type { PlaceInRepo } from '../view-models/place-in-repo.ts';
import { RevisionMenu } from './revision-menu.tsx';

/** Which revision, and where in it: a menu of branches and tags, then the path as links. */
export async function PathBar({
  place,
  view,
}: {
  place: PlaceInRepo;
  view: Extract<RepoView, 'tree' | 'blob' | 'commits'>;
}) {
  const t = await translator();
  const { repo } = place.overview;
  const segments = place.path === '' ? [] : place.path.split('/');
  const option = (name: string) => ({ name, href: fileAddress(repo, view, name, place.path) });
  return (
    <div className="mb-3 flex min-w-0 flex-wrap items-center gap-x-3 gap-y-2">
      <RevisionMenu
        current={
          /^[0-9a-f]{40}$/.test(place.revision) ? place.revision.slice(0, 7) : visibleText(place.revision)
        }
        branches={place.branches.map(option)}
        tags={place.tags.map(option)}
      />
      <nav
        aria-label={t('repo.path')}
        className="flex min-w-0 flex-wrap items-center gap-x-1 font-mono text-sm break-all"
      >
        <Link href={fileAddress(repo, 'tree', place.revision)} className="font-semibold hover:underline">
          {repo.name}
        </Link>
        {segments.map((segment, i) => {
          const path = segments.slice(0, i + 1).join('/');
          const isLast = i === segments.length - 1;
          return (
            <Fragment key={path}>
              <span className="text-muted">/</span>
              {isLast ? (
                <span aria-current="page">{visibleText(segment)}</span>
              ) : (
                <Link href={fileAddress(repo, 'tree', place.revision, path)} className="hover:underline">
                  {visibleText(segment)}
                </Link>
              )}
            </Fragment>
          );
        })}
        {place.path !== '' && (
          <CopyButton text={place.path} label={`${t('words.copy')} ${visibleText(place.path)}`} />
        )}
      </nav>
    </div>
  );
}

import { GitBranch } from 'lucide-react';
import { visibleText } from '#lib/base/visible-text.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { EmptyState, Panel } from '../kit/panel.tsx';
import { orNotFound } from '../or-not-found.ts';
import { RepoHeader } from '../repos/repo-header.tsx';
import { requireReader } from '../require-reader.ts';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';
import { UploadBoard } from '../upload/upload-board.tsx';

/** Uploads files and folders into a folder of a branch, with one commit when all are in. */
export async function UploadScreen({ repo: ref, tail }: { repo: RepoRef; tail: string }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const place = await orNotFound(hub().placeInRepo(ctx, ref, tail));
  const { repo, mayWrite } = place.overview;
  const reader = await requireReader(fileAddress(repo, 'upload', place.revision, place.path));
  return (
    <>
      <RepoHeader overview={place.overview} tab="files" revision={place.revision} />
      {place.branch === null ? (
        <Panel>
          <EmptyState icon={<GitBranch />} title={t('upload.notBranch')}>
            <ButtonLink href={fileAddress(repo, 'tree', place.revision, place.path)}>
              {t('upload.back')}
            </ButtonLink>
          </EmptyState>
        </Panel>
      ) : (
        <div className="flex flex-col gap-4">
          <h2 className="text-lg font-semibold break-words">
            {t('upload.title')}{' '}
            <span className="font-normal text-muted">
              {t('upload.into', {
                branch: visibleText(place.branch),
                folder: place.path === '' ? t('upload.root') : visibleText(place.path),
              })}
            </span>
          </h2>
          <UploadBoard
            place={{
              repo: { type: repo.type, namespace: repo.namespace, name: repo.name },
              branch: place.branch,
              folder: place.path,
              mayWrite,
              user: reader.name,
            }}
          />
        </div>
      )}
    </>
  );
}

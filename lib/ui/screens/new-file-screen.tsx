import { FilePen } from 'lucide-react';
import type { RepoRef } from '#lib/repos/types.ts';
import { fileAddress } from '../addresses.ts';
import { FileForm } from '../editor/file-form.tsx';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { EmptyState, Panel } from '../kit/panel.tsx';
import { orNotFound } from '../or-not-found.ts';
import { RepoHeader } from '../repos/repo-header.tsx';
import { requireReader } from '../require-reader.ts';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';

/** Writes a new text file with one commit to a branch. */
export async function NewFileScreen({ repo: ref, tail }: { repo: RepoRef; tail: string }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const place = await orNotFound(hub().placeInRepo(ctx, ref, tail));
  const { repo, mayWrite } = place.overview;
  await requireReader(fileAddress(repo, 'new', place.revision, place.path));
  const back = fileAddress(repo, 'tree', place.revision, place.path);
  return (
    <>
      <RepoHeader overview={place.overview} tab="files" revision={place.revision} />
      {place.branch !== null ? (
        <FileForm
          repo={{ type: repo.type, namespace: repo.namespace, name: repo.name }}
          branch={place.branch}
          commit={place.commitOid}
          path={place.path === '' ? '' : `${place.path}/`}
          existing={null}
          mayWrite={mayWrite}
          back={back}
        />
      ) : (
        <Panel>
          <EmptyState icon={<FilePen />} title={t('edit.notBranch')}>
            <ButtonLink href={back}>{t('edit.cancel')}</ButtonLink>
          </EmptyState>
        </Panel>
      )}
    </>
  );
}

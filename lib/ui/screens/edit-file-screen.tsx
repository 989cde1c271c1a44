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

/** Changes the text of a file, or moves it, with one commit to its branch. */
export async function EditFileScreen({ repo: ref, tail }: { repo: RepoRef; tail: string }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const { place, oid, content } = await orNotFound(hub().editableFile(ctx, ref, tail));
  const { repo } = place.overview;
  await requireReader(fileAddress(repo, 'edit', place.revision, place.path));
  const back = fileAddress(repo, 'blob', place.revision, place.path);
  return (
    <>
      <RepoHeader overview={place.overview} tab="files" revision={place.revision} />
      {'obstacle' in content ? (
        <Panel>
          <EmptyState icon={<FilePen />} title={t(`edit.${content.obstacle}`)}>
            <ButtonLink href={back}>{t('edit.cancel')}</ButtonLink>
          </EmptyState>
        </Panel>
      ) : (
        <FileForm
          repo={{ type: repo.type, namespace: repo.namespace, name: repo.name }}
          branch={place.branch ?? repo.defaultBranch}
          commit={place.commitOid}
          path={place.path}
          existing={{ oid, text: content.text }}
          mayWrite={place.overview.mayWrite}
          back={back}
        />
      )}
    </>
  );
}

import type { RepoType } from '#lib/repos/types.ts';
import { NewRepoForm } from '../account/new-repo-form.tsx';
import { Panel } from '../kit/panel.tsx';
import { requireReader } from '../require-reader.ts';
import { translator } from '../translator.ts';

/** Makes an empty model or dataset. */
export async function NewRepoScreen({ type }: { type: RepoType }) {
  const t = await translator();
  const reader = await requireReader(type === 'dataset' ? '/new?type=dataset' : '/new');
  const owners = [reader.name, ...reader.orgs.filter((org) => org.role !== 'read').map((org) => org.name)];
  return (
    <div className="mx-auto flex max-w-xl flex-col gap-4">
      <div>
        <h1 className="text-xl font-semibold">
          {t(type === 'dataset' ? 'account.newDatasetTitle' : 'account.newModelTitle')}
        </h1>
        <p className="mt-1 text-muted">{t('account.newText')}</p>
      </div>
      <Panel className="p-5">
        <NewRepoForm type={type} owners={owners} />
      </Panel>
    </div>
  );
}

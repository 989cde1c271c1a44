import { GitCompare } from 'lucide-react';
import type { RepoRef } from '#lib/repos/types.ts';
import { discussionAddress, fileAddress } from '../addresses.ts';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { Notice, Panel } from '../kit/panel.tsx';
import { orNotFound } from '../or-not-found.ts';
import { BranchPicker } from '../pulls/branch-picker.tsx';
import { NewDiscussionForm } from '../pulls/new-discussion-form.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { requireReader } from '../require-reader.ts';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { NewPullPage } from '../view-models/new-pull-page.ts';

interface Props {
  readonly repo: RepoRef;
  readonly isPull: boolean;
  readonly base: string | null;
  readonly head: string | null;
}

/** Begins a discussion, or a pull request from a branch that is chosen here. */
export async function NewDiscussionScreen({ repo: ref, isPull, base, head }: Props) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const model = await orNotFound(hub().newPullPage(ctx, ref, { base, head: isPull ? head : null }));
  const { repo } = model.overview;
  const address = discussionAddress(repo, 'new');
  await requireReader(isPull ? `${address}?pull=1` : address);
  const { type, namespace, name, defaultBranch } = repo;
  const place = { repo: { type, namespace, name }, revision: defaultBranch };
  return (
    <>
      <RepoHeader overview={model.overview} tab="discussions" />
      <Panel className="mx-auto flex max-w-3xl flex-col gap-5 px-4 py-5 md:px-7 md:py-6">
        <div>
          <h2 className="text-xl font-semibold">{t(isPull ? 'pulls.newPullTitle' : 'pulls.newTitle')}</h2>
          <p className="text-muted">{t('pulls.newText')}</p>
        </div>
        {isPull ? (
          <PullForm model={model} place={place} action={address} />
        ) : (
          <NewDiscussionForm place={place} pull={null} />
        )}
      </Panel>
    </>
  );
}

async function PullForm(props: {
  model: NewPullPage;
  place: React.ComponentProps<typeof NewDiscussionForm>['place'];
  action: string;
}) {
  const t = await translator();
  const { model, place, action } = props;
  const { branches, base, head, proposal } = model;
  const ready = head !== null && proposal !== null && proposal.ahead > 0;
  return (
    <>
      <BranchPicker action={action} branches={branches} base={base} head={head} />
      {head !== null && !ready && <Notice tone="info" title={t('pulls.nothingNew', { head, base })} />}
      {ready && (
        <>
          <div className="flex flex-wrap items-center justify-between gap-2 rounded-lg border border-line bg-sunken px-4 py-2">
            <span>{t('pulls.proposal', { ahead: proposal.ahead, files: proposal.files.length })}</span>
            <ButtonLink size="sm" href={fileAddress(place.repo, 'compare', `${base}...${head}`)}>
              <GitCompare />
              {t('pulls.compare')}
            </ButtonLink>
          </div>
          <NewDiscussionForm
            key={`${base} ${head}`}
            place={place}
            pull={{ base, head }}
            title={proposal.ahead === 1 ? (proposal.commits[0]?.title ?? '') : ''}
          />
        </>
      )}
    </>
  );
}

'use client';

import { useRouter } from 'next/navigation';
import { toast } from 'sonner';
import type { RepoRef, Visibility } from '#lib/repos/types.ts';
import { FormError } from '../account/form-error.tsx';
import { useForm } from '../account/use-form.ts';
import { apiAddress, repoAddress } from '../addresses.ts';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { Field, Input, Select } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';

const plainText = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false } as const;

function Send({ busy, label }: { busy: boolean; label: string }) {
  const t = useTranslator();
  return (
    <Button type="submit" disabled={busy}>
      {busy ? t('account.working') : label}
    </Button>
  );
}

/** Who may see the repo. */
export function VisibilityForm({ repo, visibility }: { repo: RepoRef; visibility: Visibility }) {
  const [t, router] = [useTranslator(), useRouter()];
  const { busy, error, onSubmit } = useForm(async (fields) => {
    await callHub('PUT', apiAddress(repo, 'settings'), { visibility: fields.visibility });
    toast.success(t('history.saved'));
    router.refresh();
  });
  return (
    <form method="post" onSubmit={onSubmit} className="flex max-w-lg flex-col gap-3">
      <Select name="visibility" defaultValue={visibility} aria-label={t('history.visibility')}>
        <option value="public">{t('words.public')}</option>
        <option value="private">{t('words.private')}</option>
      </Select>
      <FormError error={error} />
      <div>
        <Send busy={busy} label={t('history.save')} />
      </div>
    </form>
  );
}

/** Whether the repo may be discussed. */
export function DiscussionsForm({ repo, areDisabled }: { repo: RepoRef; areDisabled: boolean }) {
  const [t, router] = [useTranslator(), useRouter()];
  const { busy, error, onSubmit } = useForm(async ({ discussions }) => {
    await callHub('PUT', apiAddress(repo, 'settings'), { discussionsDisabled: discussions === 'off' });
    toast.success(t('history.saved'));
    router.refresh();
  });
  return (
    <form method="post" onSubmit={onSubmit} className="flex max-w-lg flex-col gap-3">
      <Select
        name="discussions"
        defaultValue={areDisabled ? 'off' : 'on'}
        aria-label={t('history.discussions')}
      >
        <option value="on">{t('history.discussionsOn')}</option>
        <option value="off">{t('history.discussionsOff')}</option>
      </Select>
      <FormError error={error} />
      <div>
        <Send busy={busy} label={t('history.save')} />
      </div>
    </form>
  );
}

/** Which branch stands for the repo. */
export function DefaultBranchForm(props: { repo: RepoRef; branches: readonly string[]; current: string }) {
  const [t, router] = [useTranslator(), useRouter()];
  const { busy, error, onSubmit } = useForm(async ({ branch }) => {
    await callHub('PUT', apiAddress(props.repo, 'default-branch'), { branch });
    toast.success(t('history.saved'));
    router.refresh();
  });
  return (
    <form method="post" onSubmit={onSubmit} className="flex max-w-lg flex-col gap-3">
      <Select
        name="branch"
        defaultValue={props.current}
        className="font-mono"
        aria-label={t('history.defaultBranchTitle')}
      >
        {props.branches.map((branch) => (
          <option key={branch}>{branch}</option>
        ))}
      </Select>
      <FormError error={error} />
      <div>
        <Send busy={busy} label={t('history.save')} />
      </div>
    </form>
  );
}

/** Adds a protection. */
export function ProtectForm({ repo }: { repo: RepoRef }) {
  const [t, router] = [useTranslator(), useRouter()];
  const { busy, error, onSubmit } = useForm(async ({ pattern, requirePull }, form) => {
    await callHub('POST', apiAddress(repo, 'protected-branches'), {
      pattern,
      requirePullRequest: requirePull === 'on',
    });
    form.reset();
    toast.success(t('history.saved'));
    router.refresh();
  });
  return (
    <form method="post" onSubmit={onSubmit} className="flex max-w-lg flex-col gap-3">
      <Field id="pattern" label={t('history.pattern')}>
        <Input id="pattern" name="pattern" maxLength={255} className="font-mono" required {...plainText} />
      </Field>
      <div className="flex items-center gap-2.5">
        <input id="require-pull" type="checkbox" name="requirePull" className="size-4 accent-(--ring)" />
        <label htmlFor="require-pull">{t('history.requirePull')}</label>
      </div>
      <FormError error={error} />
      <div>
        <Send busy={busy} label={t('history.protect')} />
      </div>
    </form>
  );
}

/** Asks for an owner and a name, and does something with them that ends on another page. */
function PlaceForm(props: {
  id: string;
  namespaces: readonly string[];
  owner: string;
  name: string;
  label: string;
  onPlace: (place: { namespace: string; name: string }) => Promise<void>;
}) {
  const t = useTranslator();
  const { busy, error, onSubmit } = useForm(
    ({ owner = '', name = '' }) => props.onPlace({ namespace: owner, name }),
    { stayBusy: true },
  );
  const owners = [...new Set([props.owner, ...props.namespaces])];
  return (
    <form method="post" onSubmit={onSubmit} className="flex max-w-lg flex-col gap-3">
      <div className="grid gap-3 sm:grid-cols-[minmax(8rem,1fr)_2fr]">
        <Field id={`${props.id}-owner`} label={t('history.owner')}>
          <Select id={`${props.id}-owner`} name="owner" defaultValue={props.owner}>
            {owners.map((owner) => (
              <option key={owner}>{owner}</option>
            ))}
          </Select>
        </Field>
        <Field id={`${props.id}-name`} label={t('history.newName')}>
          <Input
            id={`${props.id}-name`}
            name="name"
            defaultValue={props.name}
            maxLength={96}
            required
            {...plainText}
          />
        </Field>
      </div>
      <FormError error={error} />
      <div>
        <Send busy={busy} label={props.label} />
      </div>
    </form>
  );
}

/** Gives the repo another name or owner and goes there. */
export function MoveForm({ repo, namespaces }: { repo: RepoRef; namespaces: readonly string[] }) {
  const [t, router] = [useTranslator(), useRouter()];
  return (
    <PlaceForm
      id="move"
      namespaces={namespaces}
      owner={repo.namespace}
      name={repo.name}
      label={t('history.move')}
      onPlace={async ({ namespace, name }) => {
        await callHub('POST', '/api/repos/move', {
          type: repo.type,
          fromRepo: `${repo.namespace}/${repo.name}`,
          toRepo: `${namespace}/${name}`,
        });
        router.push(`${repoAddress({ type: repo.type, namespace, name })}/settings`);
        router.refresh();
      }}
    />
  );
}

/** Makes a copy and goes to it. */
export function DuplicateForm({ repo, namespaces }: { repo: RepoRef; namespaces: readonly string[] }) {
  const [t, router] = [useTranslator(), useRouter()];
  return (
    <PlaceForm
      id="duplicate"
      namespaces={namespaces}
      owner={namespaces[0] ?? repo.namespace}
      name={`${repo.name.slice(0, 91)}-copy`}
      label={t('history.makeDuplicate')}
      onPlace={async ({ namespace, name }) => {
        await callHub('POST', apiAddress(repo, 'duplicate'), { repository: `${namespace}/${name}` });
        router.push(repoAddress({ type: repo.type, namespace, name }));
      }}
    />
  );
}

'use client';

import { Globe, Lock, Upload } from 'lucide-react';
import { useRouter } from 'next/navigation';
import type { ReactNode } from 'react';
import type { RepoType } from '#lib/repos/types.ts';
import { fileAddress, repoAddress } from '../addresses.ts';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { Field, Input, Select } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';
import { FormError } from './form-error.tsx';
import { useForm } from './use-form.ts';

/** Identifiers as cards and the Hub's clients write them. */
const LICENCES = [
  'apache-2.0',
  'mit',
  'bsd-3-clause',
  'cc-by-4.0',
  'cc-by-sa-4.0',
  'cc-by-nc-4.0',
  'cc0-1.0',
  'gpl-3.0',
  'agpl-3.0',
  'lgpl-3.0',
  'mpl-2.0',
  'openrail',
  'bigscience-openrail-m',
  'creativeml-openrail-m',
  'llama3',
  'gemma',
  'other',
];

function Visibility(props: {
  value: string;
  icon: ReactNode;
  label: string;
  text: string;
  checked?: boolean;
}) {
  const id = `visibility-${props.value}`;
  return (
    <div className="flex items-start gap-3 rounded-md border border-line-strong px-3 py-2.5 has-checked:border-ring has-checked:bg-accent-soft">
      <input
        id={id}
        type="radio"
        name="visibility"
        value={props.value}
        defaultChecked={props.checked}
        aria-describedby={`${id}-text`}
        className="mt-1 accent-(--ring)"
      />
      <div>
        <label htmlFor={id} className="flex items-center gap-1.5 font-medium [&_svg]:size-4">
          {props.icon}
          {props.label}
        </label>
        <p id={`${id}-text`} className="text-sm text-muted">
          {props.text}
        </p>
      </div>
    </div>
  );
}

/** Makes an empty repo and goes to it. */
export function NewRepoForm({ type, owners }: { type: RepoType; owners: readonly string[] }) {
  const [t, router] = [useTranslator(), useRouter()];
  const { busy, error, onSubmit } = useForm(
    async ({ owner = '', name = '', visibility, license, then }) => {
      const made = await callHub<{ name: string }>('POST', '/api/repos/create', {
        type,
        organization: owner,
        name,
        private: visibility === 'private',
        ...(license && { license }),
      });
      const [namespace = owner, repoName = name] = made.name.split('/');
      const repo = { type, namespace, name: repoName };
      router.push(then === 'upload' ? fileAddress(repo, 'upload', 'main') : repoAddress(repo));
    },
    { stayBusy: true },
  );
  return (
    <form method="post" onSubmit={onSubmit} className="flex flex-col gap-5">
      <div className="grid gap-4 sm:grid-cols-[minmax(8rem,1fr)_2fr]">
        <Field id="owner" label={t('account.owner')}>
          <Select id="owner" name="owner">
            {owners.map((owner) => (
              <option key={owner}>{owner}</option>
            ))}
          </Select>
        </Field>
        <Field id="name" label={t('account.repoName')} hint={t('account.repoNameHint')}>
          <Input
            id="name"
            name="name"
            maxLength={96}
            autoCapitalize="none"
            autoComplete="off"
            spellCheck={false}
            aria-describedby="name-hint"
            required
          />
        </Field>
      </div>
      <fieldset className="flex flex-col gap-2">
        <legend className="mb-1.5 font-medium">{t('account.visibility')}</legend>
        <Visibility
          value="public"
          icon={<Globe />}
          label={t('words.public')}
          text={t('account.publicText')}
          checked
        />
        <Visibility
          value="private"
          icon={<Lock />}
          label={t('words.private')}
          text={t('account.privateText')}
        />
      </fieldset>
      <Field id="license" label={t('account.licence')}>
        <Select id="license" name="license" defaultValue="">
          <option value="">{t('account.noLicence')}</option>
          {LICENCES.map((licence) => (
            <option key={licence}>{licence}</option>
          ))}
        </Select>
      </Field>
      <FormError error={error} />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="accent" disabled={busy}>
          {busy
            ? t('account.working')
            : t(type === 'dataset' ? 'account.createDataset' : 'account.createModel')}
        </Button>
        <Button type="submit" name="then" value="upload" disabled={busy}>
          <Upload />
          {t('upload.createAndUpload')}
        </Button>
      </div>
    </form>
  );
}

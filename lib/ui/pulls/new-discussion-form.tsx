'use client';

import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { FormError } from '../account/form-error.tsx';
import { useForm } from '../account/use-form.ts';
import { discussionAddress, discussionApi } from '../addresses.ts';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { Field, Input } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';
import { CommentField, type CommentPlace } from './comment-field.tsx';

interface Props {
  readonly place: CommentPlace;
  /** Branches that a pull request joins; null: it becomes a discussion. */
  readonly pull: { readonly base: string; readonly head: string } | null;
  /** The title to begin with. */
  readonly title?: string;
}

/** Opens a discussion, or a pull request from a branch, and goes to it. */
export function NewDiscussionForm({ place, pull, title = '' }: Props) {
  const [t, router] = [useTranslator(), useRouter()];
  const [text, setText] = useState('');
  const { busy, error, onSubmit } = useForm(
    async (fields) => {
      const made = await callHub<{ num: number }>('POST', discussionApi(place.repo), {
        title: fields.title ?? '',
        description: text,
        ...(pull && { pullRequest: true, ...pull }),
      });
      router.push(discussionAddress(place.repo, made.num));
    },
    { stayBusy: true },
  );
  const label = t(pull ? 'pulls.createPull' : 'pulls.create');
  return (
    <form method="post" onSubmit={onSubmit} className="flex flex-col gap-4">
      <Field id="title" label={t('pulls.title')}>
        <Input
          id="title"
          name="title"
          defaultValue={title}
          minLength={3}
          maxLength={200}
          autoComplete="off"
          required
        />
      </Field>
      <div className="flex flex-col gap-1.5">
        <span className="font-medium">{t('pulls.description')}</span>
        <CommentField place={place} text={text} onText={setText} label={t('pulls.description')} rows={8} />
      </div>
      <FormError error={error} />
      <Button type="submit" look="accent" disabled={busy} className="self-start">
        {busy ? t('pulls.creating') : label}
      </Button>
    </form>
  );
}

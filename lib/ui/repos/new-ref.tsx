'use client';

import { GitBranch, Tag } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { toast } from 'sonner';
import type { RepoRef } from '#lib/repos/types.ts';
import { FormError } from '../account/form-error.tsx';
import { useForm } from '../account/use-form.ts';
import { apiAddress } from '../addresses.ts';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { Field, Input, TextArea } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';

interface Props {
  kind: 'branch' | 'tag';
  repo: RepoRef;
  from: string;
}

/** Opens a dialog that makes a branch or a tag. */
export function NewRef(props: Props) {
  const t = useTranslator();
  const [open, setOpen] = useState(false);
  const isTag = props.kind === 'tag';
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)}>
        {isTag ? <Tag /> : <GitBranch />}
        {t(isTag ? 'history.newTag' : 'history.newBranch')}
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={t(isTag ? 'history.newTag' : 'history.newBranch')}
        text={t(isTag ? 'history.newTagText' : 'history.newBranchText')}
      >
        <NewRefForm {...props} onDone={() => setOpen(false)} />
      </Dialog>
    </>
  );
}

function NewRefForm({ kind, repo, from, onDone }: Props & { onDone: () => void }) {
  const [t, router] = [useTranslator(), useRouter()];
  const { busy, error, onSubmit } = useForm(async ({ name = '', revision = '', message = '' }) => {
    if (kind === 'branch')
      await callHub('POST', apiAddress(repo, `branch/${encodeURIComponent(name)}`), {
        startingPoint: revision,
      });
    else
      await callHub('POST', apiAddress(repo, `tag/${encodeURIComponent(revision)}`), {
        tag: name,
        ...(message && { message }),
      });
    toast.success(t('history.created', { name }));
    onDone();
    router.refresh();
  });
  const text = { autoComplete: 'off', autoCapitalize: 'none', spellCheck: false, required: true } as const;
  return (
    <form method="post" onSubmit={onSubmit} className="flex flex-col gap-4">
      <Field id="ref-name" label={t('history.refName')}>
        <Input id="ref-name" name="name" maxLength={255} className="font-mono" {...text} />
      </Field>
      <Field id="ref-from" label={t('history.from')} hint={t('history.fromHint')}>
        <Input
          id="ref-from"
          name="revision"
          defaultValue={from}
          className="font-mono"
          aria-describedby="ref-from-hint"
          {...text}
        />
      </Field>
      {kind === 'tag' && (
        <Field id="ref-message" label={t('history.tagMessage')} hint={t('history.tagMessageHint')}>
          <TextArea id="ref-message" name="message" rows={3} aria-describedby="ref-message-hint" />
        </Field>
      )}
      <FormError error={error} />
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onDone}>{t('words.cancel')}</Button>
        <Button type="submit" look="accent" disabled={busy}>
          {busy ? t('account.working') : t(kind === 'tag' ? 'history.createTag' : 'history.createBranch')}
        </Button>
      </div>
    </form>
  );
}

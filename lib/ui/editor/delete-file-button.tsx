'use client';

import { Trash2 } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import type { RepoRef } from '#lib/repos/types.ts';
import { FormError } from '../account/form-error.tsx';
import { useForm } from '../account/use-form.ts';
import { fileAddress } from '../addresses.ts';
import { Button } from '../kit/button.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { Field, Input } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';
import { Conflict, commitChanges } from './commit-changes.ts';

interface Props {
  readonly repo: RepoRef;
  readonly branch: string;
  /** The commit that the page shows. */
  readonly commit: string;
  readonly path: string;
  readonly oid: string;
}

/** Deletes a file with one commit, after asking. */
export function DeleteFileButton({ repo, branch, commit, path, oid }: Props) {
  const [t, router] = [useTranslator(), useRouter()];
  const [open, setOpen] = useState(false);
  const name = path.slice(path.lastIndexOf('/') + 1);
  const { busy, error, onSubmit } = useForm(
    async ({ summary = '' }) => {
      try {
        await commitChanges({
          repo,
          branch,
          baseCommit: commit,
          seen: { [path]: oid },
          summary: summary.trim() || t('edit.remove', { name }),
          description: '',
          changes: [{ kind: 'delete', path }],
          asPullRequest: false,
        });
      } catch (failure) {
        if (failure instanceof Conflict) return t('edit.conflict', { paths: path });
        throw failure;
      }
      const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '';
      router.push(fileAddress(repo, 'tree', branch, folder));
      router.refresh();
    },
    { stayBusy: true },
  );
  return (
    <>
      <Button size="sm" onClick={() => setOpen(true)}>
        <Trash2 />
        {t('edit.delete')}
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={t('edit.removeTitle', { name })}
        text={t('edit.removeText', { branch })}
      >
        <form method="post" onSubmit={onSubmit} className="flex flex-col gap-4">
          <Field id="delete-summary" label={t('edit.summary')}>
            <Input
              id="delete-summary"
              name="summary"
              maxLength={200}
              placeholder={t('edit.remove', { name })}
              autoComplete="off"
            />
          </Field>
          <FormError error={error} />
          <div className="flex flex-wrap justify-end gap-2">
            <Button onClick={() => setOpen(false)}>{t('edit.cancel')}</Button>
            <Button type="submit" look="danger" disabled={busy} className="max-w-full">
              <span className="truncate">{busy ? t('account.working') : t('edit.remove', { name })}</span>
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}

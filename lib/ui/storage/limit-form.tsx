'use client';

import { useRouter } from 'next/navigation';
import { useId } from 'react';
import { toast } from 'sonner';
import { FormError } from '../account/form-error.tsx';
import { useForm } from '../account/use-form.ts';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { Field, Input } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';

const GB = 1_000_000_000;

/** The limit of a user, an organization or a repo, set by an administrator. `path` is below /api/admin/quotas/. */
export function LimitForm({
  path,
  name,
  limitBytes,
}: {
  path: string;
  name: string;
  limitBytes: number | null;
}) {
  const [t, router, id] = [useTranslator(), useRouter(), useId()];
  const { busy, error, onSubmit } = useForm(async ({ limit = '' }) => {
    const gigabytes = limit.trim() === '' ? null : Number(limit.replace(',', '.'));
    if (gigabytes !== null && !(gigabytes >= 0 && gigabytes <= 8_000_000)) return t('storage.limitWrong');
    await callHub('PUT', `/api/admin/quotas/${path}`, {
      limitBytes: gigabytes === null ? null : Math.round(gigabytes * GB),
    });
    toast.success(t('storage.limitSet'));
    router.refresh();
    return undefined;
  });
  return (
    <form method="post" onSubmit={onSubmit} className="flex max-w-sm flex-col gap-3">
      <Field id={id} label={t('storage.limitFor', { name })} hint={t('storage.limitHint')}>
        <Input
          id={id}
          name="limit"
          inputMode="decimal"
          autoComplete="off"
          aria-describedby={`${id}-hint`}
          defaultValue={limitBytes === null ? '' : String(limitBytes / GB)}
        />
      </Field>
      <FormError error={error} />
      <div>
        <Button type="submit" disabled={busy}>
          {busy ? t('account.working') : t('storage.setLimit')}
        </Button>
      </div>
    </form>
  );
}

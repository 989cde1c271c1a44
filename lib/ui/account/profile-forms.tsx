'use client';

import { useRouter } from 'next/navigation';
import { toast } from 'sonner';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { Field, Input } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';
import { FormError } from './form-error.tsx';
import { useForm } from './use-form.ts';

/** The reader's own name and address. */
export function ProfileForm({ fullname, email }: { fullname: string; email: string }) {
  const [t, router] = [useTranslator(), useRouter()];
  const { busy, error, onSubmit } = useForm(async (fields) => {
    await callHub('PUT', '/api/settings/account', { fullname: fields.fullname, email: fields.email || null });
    toast.success(t('account.saved'));
    router.refresh();
  });
  return (
    <form method="post" onSubmit={onSubmit} className="flex max-w-md flex-col gap-4">
      <Field id="fullname" label={t('account.fullname')}>
        <Input
          id="fullname"
          name="fullname"
          defaultValue={fullname}
          autoComplete="name"
          maxLength={200}
          required
        />
      </Field>
      <Field id="email" label={t('account.email')}>
        <Input
          id="email"
          name="email"
          type="email"
          defaultValue={email}
          autoComplete="email"
          maxLength={254}
        />
      </Field>
      <FormError error={error} />
      <Button type="submit" disabled={busy} className="self-start">
        {busy ? t('account.working') : t('account.save')}
      </Button>
    </form>
  );
}

/** Changes the reader's password; other sessions end. */
export function PasswordForm({ minPasswordLength }: { minPasswordLength: number }) {
  const t = useTranslator();
  const { busy, error, onSubmit } = useForm(async ({ currentPassword, newPassword }, form) => {
    await callHub('PUT', '/api/settings/password', { currentPassword, newPassword });
    form.reset();
    toast.success(t('account.saved'));
  });
  return (
    <form method="post" onSubmit={onSubmit} className="flex max-w-md flex-col gap-4">
      <Field id="currentPassword" label={t('account.currentPassword')}>
        <Input
          id="currentPassword"
          name="currentPassword"
          type="password"
          autoComplete="current-password"
          required
        />
      </Field>
      <Field
        id="newPassword"
        label={t('account.newPassword')}
        hint={t('account.passwordHint', { count: String(minPasswordLength) })}
      >
        <Input
          id="newPassword"
          name="newPassword"
          type="password"
          autoComplete="new-password"
          minLength={minPasswordLength}
          aria-describedby="newPassword-hint"
          required
        />
      </Field>
      <FormError error={error} />
      <Button type="submit" disabled={busy} className="self-start">
        {busy ? t('account.working') : t('account.changePassword')}
      </Button>
    </form>
  );
}

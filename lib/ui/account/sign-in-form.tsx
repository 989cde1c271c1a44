'use client';

import { Button } from '../kit/button.tsx';
import { Field, Input } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';
import { FormError } from './form-error.tsx';
import { signIn } from './session-calls.ts';
import { useForm } from './use-form.ts';

/** User name and password; goes to `next` (a path of this hub) once signed in. */
export function SignInForm({ next }: { next: string }) {
  const t = useTranslator();
  const { busy, error, onSubmit } = useForm(
    async ({ username = '', password = '' }) => {
      const result = await signIn(username, password);
      if (result === 'wrong') return t('account.wrong');
      if (result === 'tooMany') return t('account.tooMany');
      if (result === 'failed') return t('words.requestFailed');
      window.location.assign(next);
    },
    { stayBusy: true },
  );
  return (
    <form method="post" onSubmit={onSubmit} className="flex flex-col gap-4">
      <Field id="username" label={t('account.nameOrEmail')}>
        <Input
          id="username"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          required
        />
      </Field>
      <Field id="password" label={t('account.password')}>
        <Input id="password" name="password" type="password" autoComplete="current-password" required />
      </Field>
      <FormError error={error} />
      <Button type="submit" look="accent" disabled={busy}>
        {busy ? t('account.working') : t('account.signIn')}
      </Button>
    </form>
  );
}

'use client';

import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { Field, Input } from '../kit/field.tsx';
import { useTranslator } from '../reader.tsx';
import { FormError } from './form-error.tsx';
import { signIn } from './session-calls.ts';
import { useForm } from './use-form.ts';

/** Makes an account and signs in with it. */
export function SignUpForm({ next, minPasswordLength }: { next: string; minPasswordLength: number }) {
  const t = useTranslator();
  const { busy, error, onSubmit } = useForm(
    async ({ username = '', fullname, email, password = '' }) => {
      await callHub('POST', '/api/signup', {
        username,
        password,
        ...(fullname && { fullname }),
        ...(email && { email }),
      });
      const result = await signIn(username, password);
      window.location.assign(result === 'ok' ? next : '/login');
    },
    { stayBusy: true },
  );
  return (
    <form method="post" onSubmit={onSubmit} className="flex flex-col gap-4">
      <Field id="username" label={t('account.name')} hint={t('account.nameHint')}>
        <Input
          id="username"
          name="username"
          autoComplete="username"
          autoCapitalize="none"
          spellCheck={false}
          maxLength={96}
          aria-describedby="username-hint"
          required
        />
      </Field>
      <Field id="fullname" label={t('account.fullname')}>
        <Input id="fullname" name="fullname" autoComplete="name" maxLength={200} />
      </Field>
      <Field id="email" label={t('account.email')}>
        <Input id="email" name="email" type="email" autoComplete="email" maxLength={254} />
      </Field>
      <Field
        id="password"
        label={t('account.password')}
        hint={t('account.passwordHint', { count: String(minPasswordLength) })}
      >
        <Input
          id="password"
          name="password"
          type="password"
          autoComplete="new-password"
          minLength={minPasswordLength}
          aria-describedby="password-hint"
          required
        />
      </Field>
      <FormError error={error} />
      <Button type="submit" look="accent" disabled={busy}>
        {busy ? t('account.working') : t('account.signUp')}
      </Button>
    </form>
  );
}

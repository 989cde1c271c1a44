'use client';

import { Plus } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { callHub } from '../call-hub.ts';
import { Button } from '../kit/button.tsx';
import { CodeBlock } from '../kit/code-block.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { Field, Input, Select } from '../kit/field.tsx';
import { Notice } from '../kit/panel.tsx';
import { useTranslator } from '../reader.tsx';
import { FormError } from './form-error.tsx';
import { useForm } from './use-form.ts';

/** Makes a token and shows it this once. */
export function NewToken({ publicUrl }: { publicUrl: string }) {
  const [t, router] = [useTranslator(), useRouter()];
  const [open, setOpen] = useState(false);
  const [token, setToken] = useState<string | null>(null);
  const close = (next: boolean) => {
    setOpen(next);
    if (next || token === null) return;
    setToken(null);
    router.refresh();
  };
  return (
    <>
      <Button look="accent" onClick={() => setOpen(true)}>
        <Plus />
        {t('account.newToken')}
      </Button>
      <Dialog open={open} onOpenChange={close} title={t('account.newToken')}>
        {token === null ? (
          <TokenForm onMade={setToken} />
        ) : (
          <div className="flex min-w-0 flex-col gap-4">
            <Notice tone="warn" title={t('account.tokenOnce')} />
            <CodeBlock code={token} label={t('words.copy')} />
            <p className="text-sm text-muted">{t('account.tokenUse')}</p>
            <CodeBlock code={`export HF_ENDPOINT=${publicUrl}\nhf auth login`} />
            <Button look="accent" className="self-end" onClick={() => close(false)}>
              {t('account.done')}
            </Button>
          </div>
        )}
      </Dialog>
    </>
  );
}

function TokenForm({ onMade }: { onMade: (token: string) => void }) {
  const t = useTranslator();
  const { busy, error, onSubmit } = useForm(async ({ name, role }) => {
    const made = await callHub<{ token: string }>('POST', '/api/settings/tokens', { name, role });
    onMade(made.token);
  });
  return (
    <form method="post" onSubmit={onSubmit} className="flex flex-col gap-4">
      <Field id="token-name" label={t('account.tokenName')} hint={t('account.tokenNameHint')}>
        <Input
          id="token-name"
          name="name"
          maxLength={96}
          autoComplete="off"
          aria-describedby="token-name-hint"
          required
        />
      </Field>
      <Field id="token-role" label={t('account.tokenRole')}>
        <Select id="token-role" name="role" defaultValue="read">
          <option value="read">{t('account.tokenRead')}</option>
          <option value="write">{t('account.tokenWrite')}</option>
        </Select>
      </Field>
      <FormError error={error} />
      <Button type="submit" look="accent" disabled={busy} className="self-end">
        {busy ? t('account.working') : t('account.createToken')}
      </Button>
    </form>
  );
}

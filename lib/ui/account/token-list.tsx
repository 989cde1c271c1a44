'use client';

import { KeyRound, Trash2 } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { toast } from 'sonner';
import { CallError, callHub } from '../call-hub.ts';
import { formatAgo, formatExact } from '../format.ts';
import { Button } from '../kit/button.tsx';
import { Chip } from '../kit/chip.tsx';
import { Dialog } from '../kit/dialog.tsx';
import { EmptyState } from '../kit/panel.tsx';
import { useLanguage, useTranslator } from '../reader.tsx';

/** A token as its list shows it; times are ISO. */
export interface TokenLine {
  readonly id: string;
  readonly name: string;
  readonly role: 'read' | 'write';
  readonly hint: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

/** The reader's tokens, each with its way out. */
export function TokenList({ tokens, nowMs }: { tokens: readonly TokenLine[]; nowMs: number }) {
  const t = useTranslator();
  const [doomed, setDoomed] = useState<TokenLine | null>(null);
  if (tokens.length === 0)
    return (
      <EmptyState icon={<KeyRound />} title={t('account.noTokensTitle')} text={t('account.noTokensText')} />
    );
  return (
    <>
      <ul className="divide-y divide-line">
        {tokens.map((token) => (
          <TokenRow key={token.id} token={token} nowMs={nowMs} onRevoke={() => setDoomed(token)} />
        ))}
      </ul>
      {doomed && <RevokeDialog token={doomed} onClose={() => setDoomed(null)} />}
    </>
  );
}

function TokenRow({ token, nowMs, onRevoke }: { token: TokenLine; nowMs: number; onRevoke: () => void }) {
  const [t, language] = [useTranslator(), useLanguage()];
  const when = (iso: string | null) =>
    iso === null ? (
      t('words.never')
    ) : (
      <time dateTime={iso} title={formatExact(new Date(iso))}>
        {formatAgo(new Date(iso), nowMs, language)}
      </time>
    );
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2.5">
      <div className="min-w-0 flex-1 basis-48">
        <p className="flex flex-wrap items-center gap-2 font-medium break-all">
          {token.name}
          <Chip tone={token.role === 'write' ? 'warn' : 'muted'}>
            {t(token.role === 'write' ? 'account.tokenWrite' : 'account.tokenRead')}
          </Chip>
        </p>
        <p className="font-mono text-sm text-muted">hf_…{token.hint}</p>
      </div>
      <dl className="grid grid-cols-[auto_auto] gap-x-2 text-sm text-muted">
        <dt>{t('account.tokenCreated')}</dt>
        <dd>{when(token.createdAt)}</dd>
        <dt>{t('account.tokenLastUsed')}</dt>
        <dd>{when(token.lastUsedAt)}</dd>
      </dl>
      <Button size="sm" look="danger" onClick={onRevoke} aria-label={`${t('account.revoke')}: ${token.name}`}>
        <Trash2 />
        {t('account.revoke')}
      </Button>
    </li>
  );
}

function RevokeDialog({ token, onClose }: { token: TokenLine; onClose: () => void }) {
  const [t, router] = [useTranslator(), useRouter()];
  const [busy, setBusy] = useState(false);
  const revoke = async () => {
    setBusy(true);
    try {
      await callHub('DELETE', `/api/settings/tokens/${token.id}`);
      onClose();
      router.refresh();
    } catch (error) {
      setBusy(false);
      toast.error((error instanceof CallError && error.message) || t('words.requestFailed'));
    }
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t('account.revokeTitle', { name: token.name })}
      text={t('account.revokeText')}
    >
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>{t('words.cancel')}</Button>
        <Button look="danger" disabled={busy} onClick={() => void revoke()}>
          {t('account.revoke')}
        </Button>
      </div>
    </Dialog>
  );
}

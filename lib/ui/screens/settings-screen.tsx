import { Gauge, HardDrive, KeyRound, User } from 'lucide-react';
import Link from 'next/link';
import type { ReactNode } from 'react';
import { NewToken } from '../account/new-token.tsx';
import { PasswordForm, ProfileForm } from '../account/profile-forms.tsx';
import { TokenList } from '../account/token-list.tsx';
import { hub } from '../hub.ts';
import { Avatar } from '../kit/avatar.tsx';
import { Chip } from '../kit/chip.tsx';
import { LinkTabs } from '../kit/link-tabs.tsx';
import { Panel, PanelHeader } from '../kit/panel.tsx';
import { MIN_PASSWORD_LENGTH } from '../limits.ts';
import { requireReader } from '../require-reader.ts';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';

/** The pages of the reader's settings; administrators have one more. */
export async function SettingsFrame({
  tab,
  children,
}: {
  tab: 'profile' | 'tokens' | 'usage' | 'storage';
  children: ReactNode;
}) {
  const [t, { principal }] = await Promise.all([translator(), pageContext()]);
  const isAdmin = principal.kind === 'user' && principal.isAdmin;
  return (
    <div className="mx-auto max-w-3xl">
      <h1 className="text-xl font-semibold">{t('account.settings')}</h1>
      <div className="mt-2 mb-6 border-b border-line">
        <LinkTabs
          label={t('account.settings')}
          tabs={[
            { href: '/settings', label: t('account.profile'), icon: <User />, current: tab === 'profile' },
            {
              href: '/settings/tokens',
              label: t('account.tokens'),
              icon: <KeyRound />,
              current: tab === 'tokens',
            },
            {
              href: '/settings/usage',
              label: t('storage.usage'),
              icon: <Gauge />,
              current: tab === 'usage',
            },
            ...(isAdmin
              ? [
                  {
                    href: '/settings/storage',
                    label: t('reclaim.title'),
                    icon: <HardDrive />,
                    current: tab === 'storage',
                  },
                ]
              : []),
          ]}
        />
      </div>
      <div className="flex flex-col gap-6">{children}</div>
    </div>
  );
}

/** Who the reader is here: name, address, password, organizations. */
export async function ProfileSettingsScreen() {
  const t = await translator();
  const reader = await requireReader('/settings');
  return (
    <SettingsFrame tab="profile">
      <Panel>
        <PanelHeader title={t('account.profile')} />
        <div className="flex flex-col gap-5 p-4">
          <p className="flex items-center gap-3">
            <Avatar name={reader.name} size={40} />
            <span>
              <Link href={`/${encodeURIComponent(reader.name)}`} className="font-semibold hover:underline">
                {reader.name}
              </Link>
              {reader.isAdmin && (
                <span className="block text-sm text-muted">{t('account.administrator')}</span>
              )}
            </span>
          </p>
          <ProfileForm fullname={reader.fullname} email={reader.email ?? ''} />
        </div>
      </Panel>
      <Panel>
        <PanelHeader title={t('account.changePassword')} />
        <div className="p-4">
          <PasswordForm minPasswordLength={MIN_PASSWORD_LENGTH} />
        </div>
      </Panel>
      <Panel>
        <PanelHeader title={t('account.organizations')} />
        {reader.orgs.length === 0 ? (
          <p className="p-4 text-muted">{t('account.noOrganizations')}</p>
        ) : (
          <ul className="divide-y divide-line">
            {reader.orgs.map((org) => (
              <li key={org.id} className="flex items-center gap-3 px-4 py-2.5">
                <Avatar name={org.name} />
                <Link href={`/${encodeURIComponent(org.name)}`} className="font-medium hover:underline">
                  {org.name}
                </Link>
                <span className="min-w-0 flex-1 truncate text-muted">{org.fullname}</span>
                <Chip tone="muted">{t(`account.roles.${org.role}`)}</Chip>
              </li>
            ))}
          </ul>
        )}
      </Panel>
    </SettingsFrame>
  );
}

/** The reader's access tokens. */
export async function TokenSettingsScreen() {
  const t = await translator();
  await requireReader('/settings/tokens');
  const ctx = await pageContext();
  const tokens = await hub().listTokens(ctx);
  return (
    <SettingsFrame tab="tokens">
      <div className="flex flex-wrap items-start justify-between gap-4">
        <p className="min-w-0 flex-1 basis-72 text-muted">{t('account.tokensText')}</p>
        <NewToken publicUrl={ctx.publicUrl} />
      </div>
      <Panel>
        <TokenList
          nowMs={ctx.clock.now()}
          tokens={tokens.map((token) => ({
            id: token.id,
            name: token.name,
            role: token.role,
            hint: token.hint,
            createdAt: token.createdAt.toISOString(),
            lastUsedAt: token.lastUsedAt?.toISOString() ?? null,
          }))}
        />
      </Panel>
    </SettingsFrame>
  );
}

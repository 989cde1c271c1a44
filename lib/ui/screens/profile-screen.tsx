import { Building2, HardDrive } from 'lucide-react';
import type { RepoType } from '#lib/repos/types.ts';
import { hub } from '../hub.ts';
import { Avatar } from '../kit/avatar.tsx';
import { ButtonLink } from '../kit/button.tsx';
import { Chip } from '../kit/chip.tsx';
import { Panel, PanelHeader } from '../kit/panel.tsx';
import { Ago } from '../kit/values.tsx';
import { orNotFound } from '../or-not-found.ts';
import { RepoList } from '../repos/repo-list.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { QuotaBar } from '../storage/quota-bar.tsx';
import { translator } from '../translator.ts';
import { repoRow } from '../view-models/repo-row.ts';

const SHOWN = 100;

/** A user or an organization with what of theirs the reader may see. */
export async function ProfileScreen({ name }: { name: string }) {
  const [t, ctx, { language }] = await Promise.all([translator(), pageContext(), readerWishes()]);
  const profile = await orNotFound(hub().findProfile(ctx, name));
  return (
    <div className="flex flex-col gap-6">
      <header className="flex items-center gap-4">
        <Avatar name={profile.name} size={56} />
        <div className="min-w-0">
          <h1 className="flex flex-wrap items-center gap-x-2 text-xl font-semibold break-all">
            {profile.fullname}
            {profile.kind === 'org' && (
              <Chip tone="muted" className="font-normal">
                <Building2 />
                {t('account.organization')}
              </Chip>
            )}
          </h1>
          <p className="text-muted">
            {profile.name} · <Ago date={profile.createdAt} nowMs={ctx.clock.now()} language={language} />
          </p>
        </div>
      </header>
      <Storage name={profile.name} />
      <Repos type="model" author={profile.name} />
      <Repos type="dataset" author={profile.name} />
    </div>
  );
}

/** For who belongs here, and administrators: the way to what is stored, and before it bites that it is running out. */
async function Storage({ name }: { name: string }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const { principal } = ctx;
  const isMember =
    principal.kind === 'user' && (principal.name === name || principal.orgs.some((org) => org.name === name));
  if (!isMember && !(principal.kind === 'user' && principal.isAdmin)) return null;
  const usage = await hub().readUsage(ctx, name);
  return (
    <div className="flex flex-col gap-3">
      <div>
        <ButtonLink size="sm" href={`/settings/usage?of=${encodeURIComponent(name)}`}>
          <HardDrive />
          {t('storage.see')}
        </ButtonLink>
      </div>
      <QuotaBar {...usage} name={name} onlyWhenNearlyFull />
    </div>
  );
}

async function Repos({ type, author }: { type: RepoType; author: string }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const { items } = await hub().listRepos(ctx, { type, author, sort: 'lastModified', limit: SHOWN });
  return (
    <Panel className="overflow-hidden">
      <PanelHeader title={t(type === 'dataset' ? 'account.userDatasets' : 'account.userModels')} />
      {items.length === 0 ? (
        <p className="p-4 text-muted">{t('account.noRepos')}</p>
      ) : (
        <RepoList type={type} rows={items.map(repoRow)} nowMs={ctx.clock.now()} />
      )}
    </Panel>
  );
}

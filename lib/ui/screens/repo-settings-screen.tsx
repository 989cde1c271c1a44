import { Shield, ShieldOff, Trash2 } from 'lucide-react';
import type { ReactNode } from 'react';
import type { RepoRef } from '#lib/repos/types.ts';
import { apiAddress, listAddress, repoAddress } from '../addresses.ts';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { Chip } from '../kit/chip.tsx';
import { Panel, PanelHeader } from '../kit/panel.tsx';
import { orNotFound } from '../or-not-found.ts';
import { ConfirmCall } from '../repos/confirm-call.tsx';
import { LargeFiles } from '../repos/large-files.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import {
  DefaultBranchForm,
  DiscussionsForm,
  DuplicateForm,
  MoveForm,
  ProtectForm,
  VisibilityForm,
} from '../repos/settings-forms.tsx';
import { requireReader } from '../require-reader.ts';
import { pageContext } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { RepoSettingsPage } from '../view-models/repo-settings-page.ts';

/** The settings of a repo, the dangerous ones last. */
export async function RepoSettingsScreen({ repo: asked }: { repo: RepoRef }) {
  await requireReader(`${repoAddress(asked)}/settings`);
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const page = await orNotFound(hub().repoSettingsPage(ctx, asked));
  const { repo } = page.overview;
  const ref = { type: repo.type, namespace: repo.namespace, name: repo.name };
  return (
    <>
      <RepoHeader overview={page.overview} tab="settings" />
      <div className="mx-auto flex max-w-3xl flex-col gap-6">
        <Section title={t('history.visibility')} text={t('history.visibilityText')}>
          <VisibilityForm key={repo.visibility} repo={ref} visibility={repo.visibility} />
        </Section>
        <Section title={t('history.defaultBranchTitle')} text={t('history.defaultBranchText')}>
          <DefaultBranchForm
            key={repo.defaultBranch}
            repo={ref}
            branches={page.branches}
            current={repo.defaultBranch}
          />
        </Section>
        <Rules page={page} repo={ref} />
        <Section title={t('history.duplicate')} text={t('history.duplicateText')}>
          <DuplicateForm repo={ref} namespaces={page.namespaces} />
        </Section>
        <Section title={t('history.discussions')} text={t('history.discussionsText')}>
          <DiscussionsForm
            key={String(page.areDiscussionsDisabled)}
            repo={ref}
            areDisabled={page.areDiscussionsDisabled}
          />
        </Section>
        <Section title={t('storage.title')} text={t('storage.text')}>
          <div>
            <ButtonLink href={`${repoAddress(ref)}/storage`}>{t('storage.see')}</ButtonLink>
          </div>
        </Section>
        <Files page={page} repo={ref} />
        <Section title={t('history.rename')} text={t('history.renameText')}>
          <MoveForm repo={ref} namespaces={page.namespaces} />
        </Section>
        <Panel className="border-bad">
          <PanelHeader title={t('history.deleteRepo')} />
          <div className="flex flex-wrap items-center justify-between gap-3 p-4">
            <p className="min-w-0 flex-1 basis-64 text-muted">{t('history.deleteRepoText')}</p>
            <ConfirmCall
              call={{
                method: 'DELETE',
                path: '/api/repos/delete',
                body: { type: repo.type, organization: repo.namespace, name: repo.name },
              }}
              label={t('history.deleteRepo')}
              icon={<Trash2 />}
              look="danger"
              title={t('history.deleteRepoTitle', { name: `${repo.namespace}/${repo.name}` })}
              text={t('history.deleteRepoAsk')}
              confirm={t('history.deleteRepo')}
              done={t('history.repoDeleted')}
              goTo={listAddress(repo.type)}
              phrase={repo.name}
            />
          </div>
        </Panel>
      </div>
    </>
  );
}

function Section({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  return (
    <Panel>
      <PanelHeader title={title} />
      <div className="flex flex-col gap-3 p-4">
        {text && <p className="max-w-prose text-muted">{text}</p>}
        {children}
      </div>
    </Panel>
  );
}

async function Rules({ page, repo }: { page: RepoSettingsPage; repo: RepoRef }) {
  const t = await translator();
  return (
    <Section title={t('history.protection')} text={t('history.protectionText')}>
      {page.rules.length > 0 && (
        <ul className="divide-y divide-line rounded-md border border-line">
          {page.rules.map(({ pattern, requirePullRequest }) => (
            <li key={pattern} className="flex flex-wrap items-center gap-3 px-3 py-1.5">
              <span className="flex min-w-0 flex-1 flex-wrap items-center gap-2 font-mono text-sm break-all [&>svg]:size-4">
                <Shield aria-hidden />
                {pattern}
                {requirePullRequest && (
                  <Chip tone="muted" className="font-sans">
                    {t('history.requirePullShort')}
                  </Chip>
                )}
              </span>
              <ConfirmCall
                call={{
                  method: 'DELETE',
                  path: apiAddress(repo, `protected-branches/${encodeURIComponent(pattern)}`),
                }}
                label={t('history.unprotect', { pattern })}
                icon={<ShieldOff />}
                iconOnly
                look="quiet"
                title={t('history.unprotectTitle')}
                text={t('history.unprotectText', { pattern })}
                confirm={t('history.unprotectConfirm')}
                done={t('history.unprotected')}
              />
            </li>
          ))}
        </ul>
      )}
      <ProtectForm repo={repo} />
    </Section>
  );
}

async function Files({ page, repo }: { page: RepoSettingsPage; repo: RepoRef }) {
  const t = await translator();
  const lines = page.files.map((file) => ({
    fileOid: file.fileOid,
    filename: file.filename,
    ref: file.ref?.replace(/^refs\/(?:heads|tags)\//, '') ?? null,
    sizeBytes: file.sizeBytes,
  }));
  return (
    <Panel className="overflow-hidden">
      <PanelHeader title={t('history.largeFiles')} />
      <p className="max-w-prose p-4 text-muted">
        {t(lines.length === 0 ? 'history.noLargeFiles' : 'history.largeFilesText')}
        {page.hasMoreFiles && ` ${t('history.moreLargeFiles', { count: lines.length })}`}
      </p>
      {lines.length > 0 && (
        <div className="border-t border-line">
          <LargeFiles repo={repo} files={lines} />
        </div>
      )}
    </Panel>
  );
}

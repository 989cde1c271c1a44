import { ArrowDown, ArrowUp, GitBranch, GitCompare, History, RotateCcw, Shield, Trash2 } from 'lucide-react';
import Link from 'next/link';
import type { ReflogEntry } from '#lib/repos/list-reflog.ts';
import type { CommitSummary, Repo } from '#lib/repos/types.ts';
import { apiAddress, branchesAddress, fileAddress } from '../addresses.ts';
import { cn } from '../cn.ts';
import { ButtonLink } from '../kit/button.tsx';
import { Chip } from '../kit/chip.tsx';
import { Ago } from '../kit/values.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { BranchLine, RefLine } from '../view-models/branches-page.ts';
import { ConfirmCall } from './confirm-call.tsx';

interface Props {
  repo: Repo;
  mayWrite: boolean;
}

/** The commit a ref leads to, in one line. */
async function AtCommit({ repo, commit }: { repo: Repo; commit: CommitSummary | null }) {
  const [t, { language }, ctx] = await Promise.all([translator(), readerWishes(), pageContext()]);
  if (commit === null) return null;
  return (
    <p className="flex min-w-0 items-center gap-x-2 text-sm text-muted">
      <Link
        href={fileAddress(repo, 'commit', commit.oid)}
        prefetch={false}
        className="font-mono hover:text-fg hover:underline"
      >
        {commit.oid.slice(0, 7)}
      </Link>
      <span className="min-w-0 truncate" title={commit.title}>
        {commit.title || t('repo.noMessage')}
      </span>
      <span aria-hidden>·</span>
      <Ago date={commit.date} nowMs={ctx.clock.now()} language={language} />
    </p>
  );
}

async function Distance({ line, repo }: { line: BranchLine; repo: Repo }) {
  const t = await translator();
  if (line.apart === null) return null;
  const { ahead, behind, isCut } = line.apart;
  const show = (count: number) => `${count}${isCut ? '+' : ''}`;
  if (ahead + behind === 0)
    return <span className="text-sm text-muted">{t('history.even', { branch: repo.defaultBranch })}</span>;
  return (
    <span className="tabular flex items-center gap-3 text-sm whitespace-nowrap text-muted [&_svg]:size-3.5">
      <span className="flex items-center gap-1">
        <ArrowUp aria-hidden />
        {t('history.ahead', { count: show(ahead) })}
      </span>
      <span className="flex items-center gap-1">
        <ArrowDown aria-hidden />
        {t('history.behind', { count: show(behind) })}
      </span>
    </span>
  );
}

/** One branch: where it is, how far from the default one, and what can be done with it. */
export async function BranchRow({ repo, mayWrite, line }: Props & { line: BranchLine }) {
  const t = await translator();
  const { name } = line;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2 max-md:gap-x-2 max-md:pr-2">
      <div className={cn('min-w-0 flex-1', line.apart === null ? 'basis-52' : 'basis-72')}>
        <p className="flex flex-wrap items-center gap-2">
          <Link
            href={fileAddress(repo, 'tree', name)}
            className="font-mono text-sm font-medium break-all hover:underline"
          >
            {name}
          </Link>
          {line.isDefault && <Chip tone="accent">{t('history.defaultBranch')}</Chip>}
          {line.rules.length > 0 && (
            <Chip tone="info" title={t('history.protectedBy', { pattern: line.rules.join(', ') })}>
              <Shield />
              {t('history.protected')}
            </Chip>
          )}
        </p>
        <AtCommit repo={repo} commit={line.commit} />
      </div>
      <Distance line={line} repo={repo} />
      <div className="ml-auto flex items-center gap-1">
        {!line.isDefault && (
          <ButtonLink
            look="quiet"
            size="icon"
            prefetch={false}
            href={fileAddress(repo, 'compare', `${repo.defaultBranch}..${name}`)}
            aria-label={t('history.compareWith', { branch: name, base: repo.defaultBranch })}
            title={t('history.compareWith', { branch: name, base: repo.defaultBranch })}
          >
            <GitCompare />
          </ButtonLink>
        )}
        {mayWrite && (
          <ButtonLink
            look="quiet"
            size="icon"
            href={branchesAddress(repo, name)}
            aria-label={t('history.reflogOf', { branch: name })}
            title={t('history.reflogOf', { branch: name })}
          >
            <History />
          </ButtonLink>
        )}
        {mayWrite && !line.isDefault && line.rules.length === 0 && (
          <ConfirmCall
            call={{ method: 'DELETE', path: apiAddress(repo, `branch/${encodeURIComponent(name)}`) }}
            label={t('history.deleteBranch', { name })}
            icon={<Trash2 />}
            iconOnly
            look="quiet"
            title={t('history.deleteBranchTitle')}
            text={t('history.deleteBranchText', { name })}
            confirm={t('history.delete')}
            done={t('history.deleted', { name })}
          />
        )}
      </div>
    </li>
  );
}

/** One tag. */
export async function TagRow({ repo, mayWrite, line: { name, commit } }: Props & { line: RefLine }) {
  const t = await translator();
  return (
    <li className="flex items-center gap-x-4 px-4 py-2 max-md:pr-2">
      <div className="min-w-0 flex-1">
        <Link
          href={fileAddress(repo, 'tree', name)}
          className="font-mono text-sm font-medium break-all hover:underline"
        >
          {name}
        </Link>
        <AtCommit repo={repo} commit={commit} />
      </div>
      {mayWrite && (
        <ConfirmCall
          call={{ method: 'DELETE', path: apiAddress(repo, `tag/${encodeURIComponent(name)}`) }}
          label={t('history.deleteTag', { name })}
          icon={<Trash2 />}
          iconOnly
          look="quiet"
          title={t('history.deleteTagTitle')}
          text={t('history.deleteTagText', { name })}
          confirm={t('history.delete')}
          done={t('history.deleted', { name })}
        />
      )}
    </li>
  );
}

/** A branch that was deleted, with the way back. */
export async function DeletedRow({ repo, entry }: { repo: Repo; entry: ReflogEntry }) {
  const [t, { language }, ctx] = await Promise.all([translator(), readerWishes(), pageContext()]);
  const name = entry.ref.slice('refs/heads/'.length);
  if (entry.oldOid === null) return null;
  const oid = entry.oldOid.slice(0, 7);
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
      <div className="min-w-0 flex-1 basis-52">
        <p className="flex items-center gap-2 font-mono text-sm break-all text-muted [&_svg]:size-4">
          <GitBranch aria-hidden />
          {name}
        </p>
        <p className="text-sm text-muted">
          <span className="font-mono">{oid}</span>{' '}
          {t('history.deletedBy', { user: entry.actor ?? t('history.somebody') })}{' '}
          <Ago date={entry.at} nowMs={ctx.clock.now()} language={language} />
        </p>
      </div>
      <ConfirmCall
        call={{
          method: 'POST',
          path: apiAddress(repo, `restore/${encodeURIComponent(name)}`),
          body: { oid: entry.oldOid, expected: null },
        }}
        label={t('history.restore')}
        icon={<RotateCcw />}
        title={t('history.restoreTitle')}
        text={t('history.restoreDeletedText', { branch: name, oid })}
        confirm={t('history.restore')}
        done={t('history.restored', { branch: name })}
      />
    </li>
  );
}

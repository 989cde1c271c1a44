import { GitBranch, RotateCcw } from 'lucide-react';
import Link from 'next/link';
import type { Oid } from '#lib/base/ids.ts';
import type { Repo, RepoRef } from '#lib/repos/types.ts';
import { apiAddress, branchesAddress, fileAddress } from '../addresses.ts';
import { hub } from '../hub.ts';
import { Avatar } from '../kit/avatar.tsx';
import { ButtonLink } from '../kit/button.tsx';
import { Chip } from '../kit/chip.tsx';
import { Panel } from '../kit/panel.tsx';
import { Ago } from '../kit/values.tsx';
import { orNotFound } from '../or-not-found.ts';
import { ConfirmCall } from '../repos/confirm-call.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { ReflogPage } from '../view-models/reflog-page.ts';

/** Where a branch was, newest first, each place with the way back. */
export async function ReflogScreen({ repo: ref, branch }: { repo: RepoRef; branch: string }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const { overview, entries, now } = await orNotFound(hub().reflogPage(ctx, ref, branch));
  const { repo } = overview;
  return (
    <>
      <RepoHeader overview={overview} tab="versions" />
      <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-lg font-semibold break-all">{t('history.reflogOf', { branch })}</h2>
        <ButtonLink size="sm" href={branchesAddress(repo)}>
          <GitBranch />
          {t('history.branchesAndTags')}
        </ButtonLink>
      </div>
      <p className="mb-4 max-w-prose text-muted">{t('history.reflogText')}</p>
      <Panel>
        <ul className="divide-y divide-line">
          {entries.map((entry, i) => (
            <EntryRow key={entry.id} repo={repo} branch={branch} entry={entry} now={now} isLatest={i === 0} />
          ))}
        </ul>
      </Panel>
    </>
  );
}

async function EntryRow(props: {
  repo: Repo;
  branch: string;
  entry: ReflogPage['entries'][number];
  now: Oid | null;
  isLatest: boolean;
}) {
  const { repo, branch, entry, now } = props;
  const [t, { language }, ctx] = await Promise.all([translator(), readerWishes(), pageContext()]);
  const who = entry.actor ?? t('history.somebody');
  const short = entry.newOid?.slice(0, 7) ?? null;
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
      <div className="min-w-0 flex-1 basis-72">
        <p className="flex flex-wrap items-center gap-x-2">
          {entry.newOid === null ? (
            <span className="font-mono text-sm">{t('history.wasDeleted')}</span>
          ) : (
            <Link
              href={fileAddress(repo, 'commit', entry.newOid)}
              prefetch={false}
              className="font-mono text-sm hover:underline"
            >
              {short}
            </Link>
          )}
          <span className="min-w-0 break-words">{entry.commit?.title}</span>
          {props.isLatest && now !== null && <Chip tone="accent">{t('history.isHere')}</Chip>}
        </p>
        <p className="mt-0.5 flex flex-wrap items-center gap-1.5 text-sm text-muted">
          <Avatar name={who} size={18} />
          {who}
          <span aria-hidden>·</span>
          {t(`history.reasons.${entry.reason}`)}
          <span aria-hidden>·</span>
          <Ago date={entry.at} nowMs={ctx.clock.now()} language={language} />
        </p>
      </div>
      {entry.newOid !== null && entry.commit === null && (
        <span className="text-sm text-muted">{t('history.reclaimed')}</span>
      )}
      {entry.newOid !== null && entry.commit !== null && short !== null && entry.newOid !== now && (
        <ConfirmCall
          call={{
            method: 'POST',
            path: apiAddress(repo, `restore/${encodeURIComponent(branch)}`),
            body: { oid: entry.newOid, expected: now },
          }}
          label={t('history.restoreHere', { oid: short })}
          icon={<RotateCcw />}
          title={t('history.restoreTitle')}
          text={t(now === null ? 'history.restoreDeletedText' : 'history.restoreText', {
            branch,
            oid: short,
          })}
          confirm={t('history.restore')}
          done={t('history.restored', { branch })}
        />
      )}
    </li>
  );
}

import { GitCommitHorizontal, GitMerge } from 'lucide-react';
import Link from 'next/link';
import type { Repo, RepoRef } from '#lib/repos/types.ts';
import { discussionAddress, fileAddress } from '../addresses.ts';
import { formatAgo } from '../format.ts';
import { hub } from '../hub.ts';
import { ButtonLink } from '../kit/button.tsx';
import { CodeTabs } from '../kit/code-tabs.tsx';
import { EmptyState, Notice, Panel } from '../kit/panel.tsx';
import { Ago } from '../kit/values.tsx';
import { orNotFound } from '../or-not-found.ts';
import { CommentBox, type NextStatus } from '../pulls/comment-box.tsx';
import { CommentCard } from '../pulls/comment-card.tsx';
import { DiscussionHead } from '../pulls/discussion-head.tsx';
import { EventLine } from '../pulls/event-line.tsx';
import { MergeBox } from '../pulls/merge-box.tsx';
import { mergeObstacle } from '../pulls/merge-obstacle.ts';
import { ReviewFiles } from '../pulls/review-files.tsx';
import { CommitLine } from '../repos/commit-line.tsx';
import { RepoHeader } from '../repos/repo-header.tsx';
import { pageContext, readerWishes } from '../server-context.ts';
import { translator } from '../translator.ts';
import type { DiscussionPageModel, DiscussionPart } from '../view-models/discussion-page.ts';
import { pullSnippets } from '../view-models/snippets.ts';

interface Props {
  readonly repo: RepoRef;
  readonly num: number;
  readonly part: DiscussionPart;
  /** The whole of a long conversation. */
  readonly all: boolean;
}

/** A discussion or pull request: what was said, its commits, its changes. */
export async function DiscussionScreen({ repo: ref, num, part, all }: Props) {
  const ctx = await pageContext();
  const model = await orNotFound(hub().discussionPage(ctx, ref, num, { part, all }));
  const shown = model.discussion.pull === null ? 'conversation' : part;
  return (
    <>
      <RepoHeader overview={model.overview} tab="discussions" />
      <DiscussionHead model={model} part={shown} />
      {shown === 'conversation' && <Conversation model={model} />}
      {shown === 'commits' && <Commits model={model} />}
      {shown === 'files' && <Files model={model} />}
    </>
  );
}

const placeOf = ({ type, namespace, name, defaultBranch }: Repo) => ({
  repo: { type, namespace, name },
  revision: defaultBranch,
});

function nextStatuses({ discussion: { status, pull }, may, merge }: DiscussionPageModel) {
  const next: Exclude<NextStatus, null>[] = [];
  if (!may.steer || status === 'merged') return next;
  if (status === 'closed') {
    if (pull === null || merge?.hasRef) next.push('reopen');
  } else next.push('close');
  return next;
}

async function Conversation({ model }: { model: DiscussionPageModel }) {
  const t = await translator();
  const { overview, discussion, events, skipped, may, merge } = model;
  const { repo } = overview;
  const place = placeOf(repo);
  const { num } = discussion;
  const cut = skipped > 0 ? Math.min(20, events.length) : events.length;
  return (
    <div className="flex max-w-4xl flex-col gap-3">
      <ol className="flex flex-col gap-3">
        <Events model={model} from={0} to={cut} />
        {skipped > 0 && (
          <li className="flex justify-center border-y border-dashed border-line py-2">
            <ButtonLink size="sm" href={`${discussionAddress(repo, num)}?all=1`}>
              {t('pulls.skipped', { count: skipped })}
            </ButtonLink>
          </li>
        )}
        <Events model={model} from={cut} to={events.length} />
      </ol>
      {merge && <MergeArea model={model} />}
      {may.takePart ? (
        <div className="mt-2 border-t border-line pt-4">
          <CommentBox place={place} num={num} next={nextStatuses(model)} />
        </div>
      ) : (
        <SignIn repo={repo} num={num} signedIn={may.signedIn} />
      )}
    </div>
  );
}

async function Events({ model, from, to }: { model: DiscussionPageModel; from: number; to: number }) {
  const [{ language }, ctx] = await Promise.all([readerWishes(), pageContext()]);
  const { overview, discussion, events, merge } = model;
  const place = placeOf(overview.repo);
  return events.slice(from, to).map((each) =>
    each.kind === 'other' ? (
      <EventLine key={each.event.id} repo={overview.repo} event={each.event} />
    ) : (
      <li key={each.comment.id}>
        <CommentCard
          place={place}
          num={discussion.num}
          comment={each.comment}
          headOid={merge?.headOid ?? null}
          when={<Ago date={each.comment.createdAt} nowMs={ctx.clock.now()} language={language} />}
        />
      </li>
    ),
  );
}

async function SignIn({ repo, num, signedIn }: { repo: Repo; num: number; signedIn: boolean }) {
  const t = await translator();
  if (signedIn) return <p className="text-muted">{t('pulls.disabled')}</p>;
  return (
    <ButtonLink
      href={`/login?next=${encodeURIComponent(discussionAddress(repo, num))}`}
      className="self-start"
    >
      {t('pulls.signIn')}
    </ButtonLink>
  );
}

async function MergeArea({ model }: { model: DiscussionPageModel }) {
  const [t, ctx] = await Promise.all([translator(), pageContext()]);
  const { overview, discussion, may, merge } = model;
  const { num, status, pull } = discussion;
  const { repo } = overview;
  if (merge === null || pull === null) return null;
  if (status === 'merged') {
    const oid = pull.mergeCommitOid;
    return oid === null ? null : (
      <Notice
        tone="info"
        title={
          <Link href={fileAddress(repo, 'commit', oid)} className="flex items-center gap-2 hover:underline">
            <GitMerge className="size-4.5" aria-hidden="true" />
            {t('pulls.mergedAs', { oid: oid.slice(0, 7) })}
          </Link>
        }
      />
    );
  }
  const hasConflicts = (merge.conflicts?.length ?? 0) > 0;
  const snippets = pullSnippets({
    publicUrl: ctx.publicUrl,
    type: repo.type,
    id: `${repo.namespace}/${repo.name}`,
    num,
    conflict: hasConflicts
      ? { branch: pull.baseRef.slice('refs/heads/'.length), solve: t('pulls.solve') }
      : null,
  });
  const isOpen = status === 'draft' || status === 'open';
  return (
    <>
      <MergeBox
        repo={placeOf(repo).repo}
        num={num}
        branch={pull.baseRef.slice('refs/heads/'.length)}
        obstacle={mergeObstacle(status, merge)}
        conflicts={merge.conflicts ?? []}
        behind={merge.commits.length === 0 ? 0 : merge.behind}
        mayMerge={may.maintain}
        maySteer={may.steer}
      />
      {isOpen && merge.hasRef && (
        <details
          className="rounded-lg border border-line bg-surface px-4 py-2.5"
          open={merge.commits.length === 0 || hasConflicts}
        >
          <summary className="text-sm text-muted hover:text-fg">
            {t(merge.commits.length === 0 ? 'pulls.noCommitsText' : 'pulls.fetchIt')}
          </summary>
          <div className="pt-2">
            <CodeTabs snippets={snippets} label={t('pulls.fetchIt')} />
          </div>
        </details>
      )}
    </>
  );
}

async function Commits({ model: { overview, commits } }: { model: DiscussionPageModel }) {
  const t = await translator();
  if (commits.length === 0)
    return (
      <Panel>
        <EmptyState icon={<GitCommitHorizontal />} title={t('pulls.noCommits')} />
      </Panel>
    );
  return (
    <Panel className="overflow-hidden [&>*:last-child]:border-b-0">
      {commits.map((commit) => (
        <CommitLine key={commit.oid} repo={overview.repo} commit={commit} />
      ))}
    </Panel>
  );
}

async function Files({ model }: { model: DiscussionPageModel }) {
  const [{ language }, ctx] = await Promise.all([readerWishes(), pageContext()]);
  const { overview, discussion, changes, events, may, merge } = model;
  if (changes === null || merge === null) return null;
  const { comparison, loaded } = changes;
  const comments = events.flatMap((each) =>
    each.kind === 'comment'
      ? [
          {
            comment: each.comment,
            when: formatAgo(each.comment.createdAt, ctx.clock.now(), language),
          },
        ]
      : [],
  );
  return (
    <ReviewFiles
      place={placeOf(overview.repo)}
      num={discussion.num}
      headOid={merge.headOid}
      range={comparison.pinned}
      files={comparison.files}
      isComplete={comparison.isComplete}
      loaded={loaded}
      comments={comments}
      mayComment={may.takePart}
    />
  );
}

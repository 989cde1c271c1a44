import { setTimeout } from 'node:timers/promises';
import { transaction } from '#lib/base/db.ts';
import { hubError, isHubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from './access.ts';
import { commitSignature } from './commit-signature.ts';
import { selectRefs } from './db.ts';
import { readTrees } from './git/read-trees.ts';
import { isResend } from './is-resend.ts';
import { type Landing, landCommit, sealCommit } from './land-commit.ts';
import { type CommitSource, planCommit } from './plan-commit.ts';
import { readBlob } from './read-blob.ts';
import { inRefOrder } from './ref-queue.ts';
import { readRoot, refNamesOf, revisionNotFound } from './resolve-revision.ts';
import { type StagedCommit, stageOperations } from './stage-operations.ts';
import type { CommitHeader, CommitOperation, Repo, RepoRef } from './types.ts';

const MAX_REPLANS = 3;
const MAX_MESSAGE_BYTES = 64 * 1024;

export interface CommitResult {
  readonly repo: Repo;
  /** The new commit; the current head when nothing changed. */
  readonly commitOid: Oid;
  readonly changed: boolean;
  /** Full name of the branch. */
  readonly ref: string;
}

export interface CommitRequest {
  /** A branch, by short or full name; `HEAD` and `None` mean the default branch. */
  readonly revision: string;
  readonly header: CommitHeader;
  readonly operations: Iterable<CommitOperation> | AsyncIterable<CommitOperation>;
}

/** How the base of a commit is read. */
export function commitSource(ctx: Pick<Ctx, 'db'>, repo: Repo): CommitSource {
  return {
    readTrees: (oids) => readTrees(ctx.db, repo.id, oids),
    readBlob: (oid) => readBlob(ctx.db, repo.id, oid),
  };
}

function messageOf(header: CommitHeader): string {
  const summary = header.summary.trim();
  if (summary === '') throw hubError('invalid_input', 'summary: a commit needs a message');
  const message = [summary, header.description.trim()].filter(Boolean).join('\n\n').replaceAll('\0', '');
  if (Buffer.byteLength(message) > MAX_MESSAGE_BYTES)
    throw hubError('invalid_input', `summary and description: at most ${MAX_MESSAGE_BYTES} bytes together`);
  return message;
}

/** The branch to commit to. Tags, oids and refs that are no branches are not found, as on the Hub. */
function branchRef(repo: Repo, revision: string): string {
  const [name] = refNamesOf(revision, repo.defaultBranch);
  if (name === undefined || !name.startsWith('refs/heads/')) throw revisionNotFound(revision);
  return name;
}

async function readHead(ctx: Pick<Ctx, 'db'>, repo: Repo, ref: string, revision: string): Promise<Oid> {
  const head = (await selectRefs(ctx.db, repo.id, [ref]))[0]?.oid;
  if (head === undefined) throw revisionNotFound(revision);
  return head;
}

const isParent = (head: Oid, parentCommit: string | null) =>
  parentCommit === null || (parentCommit.length >= 7 && head.startsWith(parentCommit.toLowerCase()));

/**
 * Commits operations to a branch: whole or not at all. When it returns, objects, ref, reflog, audit event and
 * jobs are durable in one transaction; after a crash at any line either all of them are there or none. A lost
 * compare-and-swap is planned again on the new head (busy after three times) unless the client named the parent
 * (then ref_moved). A tree that does not change makes no commit; neither does the same request sent again.
 * Throws repo_not_found, forbidden, revision_not_found, entry_not_found, invalid_path, invalid_input,
 * invalid_object, ref_moved, busy.
 */
export async function createCommit(ctx: Ctx, ref: RepoRef, request: CommitRequest): Promise<CommitResult> {
  const repo = await requireWrite(ctx, ref);
  const branch = branchRef(repo, request.revision);
  const message = messageOf(request.header);
  await readHead(ctx, repo, branch, request.revision); // before the body is read: a missing branch ends it at once
  const staged = await stageOperations(ctx, repo.id, request.operations);
  return inRefOrder(ctx.db, `${repo.id}:${branch}`, async () => {
    for (let attempt = 0; attempt <= MAX_REPLANS; attempt++) {
      ctx.signal.throwIfAborted();
      if (attempt > 0) await setTimeout(Math.random() * 20 * 2 ** attempt);
      const head = await readHead(ctx, repo, branch, request.revision);
      const result = await tryCommit(ctx, repo, { branch, head, message, staged, header: request.header });
      if (result !== null) return { repo, ref: branch, ...result };
    }
    throw hubError('busy', 'Others are committing to this branch; try again');
  });
}

interface Attempt {
  readonly branch: string;
  readonly head: Oid;
  readonly message: string;
  readonly staged: StagedCommit;
  readonly header: CommitHeader;
}

/** One attempt on one head; null when the ref moved meanwhile. */
async function tryCommit(
  ctx: Ctx,
  repo: Repo,
  attempt: Attempt,
): Promise<Pick<CommitResult, 'commitOid' | 'changed'> | null> {
  const { head, staged } = attempt;
  const baseRoot = await readRoot(ctx.db, repo.id, head);
  try {
    if (!isParent(head, attempt.header.parentCommit))
      throw hubError(
        'ref_moved',
        'The branch was updated since you opened this page. Please refresh and try again.',
      );
    const plan = await planCommit(commitSource(ctx, repo), baseRoot, staged.operations);
    if (plan.rootOid === baseRoot) return { commitOid: head, changed: false };
    const by = commitSignature(ctx);
    const commit = {
      tree: plan.rootOid,
      parents: [head],
      author: by,
      committer: by,
      message: attempt.message,
    };
    const objects = [...staged.objects, ...plan.objects];
    const landing: Landing = { repo, ref: attempt.branch, oldOid: head, commit, objects, reason: 'commit' };
    return await land(ctx, landing);
  } catch (error) {
    const mayBeDone = isHubError(error) && (error.code === 'ref_moved' || error.code === 'entry_not_found');
    if (mayBeDone && (await isResend(ctx, repo, attempt))) return { commitOid: head, changed: false };
    if (isHubError(error) && error.code === 'entry_not_found') error.details.commitOid = head;
    throw error;
  }
}

/** The transaction, and the answer when its outcome is unknown: the ref itself tells. */
async function land(ctx: Ctx, landing: Landing): Promise<Pick<CommitResult, 'commitOid' | 'changed'> | null> {
  const sealed = await sealCommit(landing);
  const done = { commitOid: sealed.oid, changed: true };
  const moved = Symbol('moved');
  try {
    await transaction(ctx.db, async (tx) => {
      const landed = await landCommit(tx, ctx, landing, sealed);
      if (!landed) throw moved;
    });
  } catch (error) {
    if (error === moved) return null;
    if (isHubError(error)) throw error;
    const now = await selectRefs(ctx.db, landing.repo.id, [landing.ref]).catch(() => []);
    if (now[0]?.oid !== sealed.oid) throw error; // COMMIT may have been lost after it took effect
  }
  await failpoint('commit.after-tx');
  return done;
}

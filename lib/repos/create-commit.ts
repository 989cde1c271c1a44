import { type Tx, transaction } from '#lib/base/db.ts';
import { hubError, isHubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { lockRef, selectRefs } from './db.ts';
import { type CommitIntent, draftCommit } from './draft-commit.ts';
import { holdFiles } from './files/hold-files.ts';
import { landCommit } from './land-commit.ts';
import { inRefOrder } from './ref-queue.ts';
import { revisionNotFound } from './resolve-revision.ts';
import { stageOperations } from './stage-operations.ts';
import type { CommitHeader, CommitOperation, Repo, RepoRef } from './types.ts';
import { requireWritableRef } from './writable-ref.ts';

const MAX_MESSAGE_BYTES = 64 * 1024;
const LOCK_NOT_AVAILABLE = '55P03';

export interface CommitResult {
  readonly repo: Repo;
  /** The new commit; the current head when nothing changed. */
  readonly commitOid: Oid;
  readonly changed: boolean;
  /** Full name of the branch, or refs/pr/N. */
  readonly ref: string;
}

export interface CommitRequest {
  /** A branch, by short or full name; `HEAD` and `None` mean the default branch; or refs/pr/N. */
  readonly revision: string;
  readonly header: CommitHeader;
  readonly operations: Iterable<CommitOperation> | AsyncIterable<CommitOperation>;
}

/** The message of a commit. Throws invalid_input when it is empty or longer than 64 KiB. */
export function messageOf(header: CommitHeader): string {
  const summary = header.summary.trim();
  if (summary === '') throw hubError('invalid_input', 'summary: a commit needs a message');
  const message = [summary, header.description.trim()].filter(Boolean).join('\n\n').replaceAll('\0', '');
  if (Buffer.byteLength(message) > MAX_MESSAGE_BYTES)
    throw hubError('invalid_input', `summary and description: at most ${MAX_MESSAGE_BYTES} bytes together`);
  return message;
}

/**
 * Commits operations to a branch or a pull request: whole or not at all. When it returns, objects, ref, reflog, audit event and
 * jobs are durable in one transaction; after a crash at any line either all of them are there or none. The plan
 * is made before the transaction; when the branch has moved by then it is made again under the branch's lock,
 * unless the client named the parent (then ref_moved). A tree that does not change makes no commit; neither does
 * the same request sent again. Throws repo_not_found, forbidden, revision_not_found, entry_not_found,
 * invalid_path, invalid_input, invalid_object, ref_moved, busy (the branch stayed locked for ten seconds).
 */
export async function createCommit(ctx: Ctx, ref: RepoRef, request: CommitRequest): Promise<CommitResult> {
  const { repo, ref: branch } = await requireWritableRef(ctx, ref, request.revision);
  const message = messageOf(request.header);
  const readHead = async (): Promise<Oid> => {
    const head = (await selectRefs(ctx.db, repo.id, [branch]))[0]?.oid;
    if (head === undefined) throw revisionNotFound(request.revision);
    return head;
  };
  await readHead(); // a missing branch is refused before the body is read
  const staged = await stageOperations(ctx, repo.id, request.operations);
  const { parentCommit } = request.header;
  const intent: CommitIntent = { repo, branch, message, parentCommit, staged };
  const oid = await inRefOrder(ctx.db, `${repo.id}:${branch}`, async () => {
    ctx.signal.throwIfAborted();
    return commitOn(ctx, intent, await readHead());
  });
  await failpoint('commit.after-tx');
  return { repo, ref: branch, ...oid };
}

type Outcome = Pick<CommitResult, 'commitOid' | 'changed'>;

async function commitOn(ctx: Ctx, intent: CommitIntent, head: Oid): Promise<Outcome> {
  const early = await draftCommit(ctx, ctx.db, intent, head);
  if (early === null) return { commitOid: head, changed: false };
  let wanted: Oid | undefined;
  const write = async (tx: Tx): Promise<Outcome> => {
    const now = await lockRef(tx, intent.repo.id, intent.branch);
    if (now === null) throw revisionNotFound(intent.branch);
    await holdFiles(tx, intent.repo.id, intent.staged.files);
    const landing = now === head ? early : await draftCommit(ctx, tx, intent, now);
    if (landing === null) return { commitOid: now, changed: false };
    wanted = landing.sealed.oid;
    if (!(await landCommit(tx, ctx, landing))) throw new Error(`${intent.branch} moved while it was locked`);
    return { commitOid: landing.sealed.oid, changed: true };
  };
  try {
    return await transaction(ctx.db, write);
  } catch (error) {
    if (isHubError(error)) throw error;
    if ((error as { code?: string }).code === LOCK_NOT_AVAILABLE)
      throw hubError('busy', 'Others are committing to this branch; try again', { cause: error });
    // COMMIT may have taken effect although its answer was lost: the ref itself tells
    const [row] = await selectRefs(ctx.db, intent.repo.id, [intent.branch]).catch(() => []);
    if (wanted !== undefined && row?.oid === wanted) return { commitOid: wanted, changed: true };
    throw error;
  }
}

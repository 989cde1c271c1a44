import type { Queryable } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canWrite } from '#lib/identity/policy.ts';
import { accessRefused, requireRead } from '../access.ts';
import { findPullAuthor } from '../pulls/find-pull-author.ts';
import { requireParticipant } from '../pulls/participation.ts';
import { numOfPullRef } from '../pulls/types.ts';
import type { Repo, RepoRef } from '../types.ts';

/** Who may send large files to a repo, and how. */
export interface UploadRight {
  readonly repo: Repo;
  /** Not somebody who may write to the repo, but somebody who proposes a change: counted and bounded. */
  readonly isGuest: boolean;
}

/** What the files are for, as far as the client says. */
export interface UploadPurpose {
  /** A pull request will be opened with them. */
  readonly createPr: boolean;
  /** Branch or ref that they are meant for, when the client says. */
  readonly revision?: string | undefined;
}

/**
 * Who may upload large files to a repo: who may write to it, and as a guest who opens a pull request or commits to their
 * own (huggingface_hub asks with `create_pr=1`, with refs/pr/N, or for LFS without any ref). Throws repo_not_found,
 * unauthenticated, forbidden.
 */
export async function requireUpload(
  ctx: Pick<Ctx, 'db' | 'principal' | 'clock'>,
  ref: RepoRef,
  purpose: UploadPurpose,
): Promise<UploadRight> {
  const repo = await requireRead(ctx, ref);
  if (canWrite(ctx.principal, repo)) return { repo, isGuest: false };
  const num = numOfPullRef(purpose.revision ?? '');
  if (!purpose.createPr && num === null) throw accessRefused(ctx.principal, 'to upload to a repository');
  const { user } = await requireParticipant(ctx, ref);
  if (num === null) return { repo, isGuest: true };
  const pull = await findPullAuthor(ctx.db, repo.id, num);
  if (pull?.authorId !== user.id) throw accessRefused(user, 'to upload to this pull request');
  return { repo, isGuest: true };
}

/** Bytes of the large files that a user brought to a repo. Plan: the repo's range of repo_file_pkey. */
async function broughtBytes(db: Queryable, repoId: RepoId, userId: string): Promise<number> {
  const { rows } = await db.query<{ total: number }>(
    'SELECT coalesce(sum(size_bytes), 0)::bigint AS total FROM repo_file WHERE repo_id = $1 AND created_by = $2',
    [repoId, userId],
  );
  return rows[0]?.total ?? 0;
}

/**
 * Throws forbidden when a guest would hold more in the repo than guests may (LARDER_GUEST_UPLOAD_BYTES): asked with the
 * pool before an upload begins, and in the transaction that links the files, where the guest's uploads to the repo wait
 * for each other.
 */
export async function refuseTooMuch(
  config: Pick<Ctx['config'], 'LARDER_GUEST_UPLOAD_BYTES'>,
  db: Queryable,
  guest: { readonly repoId: RepoId; readonly userId: string; readonly moreBytes: number },
): Promise<void> {
  const inTransaction = !('totalCount' in db);
  if (inTransaction)
    await db.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `guest:${guest.repoId}:${guest.userId}`,
    ]);
  const limit = config.LARDER_GUEST_UPLOAD_BYTES;
  if ((await broughtBytes(db, guest.repoId, guest.userId)) + guest.moreBytes > limit)
    throw hubError(
      'forbidden',
      `Who may not write to a repository may bring at most ${limit} bytes of large files to it with pull requests`,
    );
}

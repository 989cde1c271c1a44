import { isUniqueViolation, type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { hexOf, type Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { validateName } from '#lib/identity/names.ts';
import { requireRead } from './access.ts';
import { insertRepo } from './insert-repo.ts';
import { moveRef } from './move-ref.ts';
import { requireCreate } from './require-create.ts';
import { requireRoomForRepo, whileHolderIsLocked } from './storage/require-room.ts';
import type { Repo, RepoRef, Visibility } from './types.ts';

export interface Duplicate {
  /** Name of a user or organization, any case. */
  readonly namespace: string;
  readonly name: string;
  /** Absent: as the original. */
  readonly visibility?: Visibility | undefined;
}

/** Everything that hangs on a repo's history, row by row inside Postgres; $1 the new repo, $2 the original. */
const COPIES = [
  `INSERT INTO git_object (repo_id, oid, kind, size, data, lfs_sha256, lfs_size)
   SELECT $1, oid, kind, size, data, lfs_sha256, lfs_size FROM git_object WHERE repo_id = $2`,
  `INSERT INTO commit_index (repo_id, oid, tree_oid, parents, title, message, author_name, author_email,
                             authored_at, committed_at, generation, reached, user_id, has_paths)
   SELECT $1, oid, tree_oid, parents, title, message, author_name, author_email,
          authored_at, committed_at, generation, reached, user_id, has_paths FROM commit_index WHERE repo_id = $2`,
  `INSERT INTO path_change (repo_id, path_key, generation, oid, follow)
   SELECT $1, path_key, generation, oid, follow FROM path_change WHERE repo_id = $2`,
];

async function copyHistory(tx: Tx, ctx: Ctx, from: Repo, to: Repo): Promise<void> {
  await tx.query('SET LOCAL statement_timeout = 0'); // a long history takes minutes
  for (const text of COPIES) await tx.query(text, [to.id, from.id]);
  // the originals stay locked: they cannot be taken away while their bytes get another owner
  await tx.query(
    `INSERT INTO repo_file (repo_id, sha256, size_bytes, object_id, xet_file_id, created_by)
     SELECT $1, sha256, size_bytes, object_id, xet_file_id, $3 FROM repo_file WHERE repo_id = $2 FOR KEY SHARE`,
    [to.id, from.id, to.createdBy],
  );
  await failpoint('duplicate.before-refs');
  const { rows } = await tx.query<{ name: string; oid: Buffer }>(
    `SELECT name, oid FROM ref WHERE repo_id = $1 AND name NOT LIKE 'refs/pr/%' ORDER BY name`,
    [from.id],
  );
  for (const { name, oid } of rows) {
    const move = { repo: to, ref: name, oldOid: null, newOid: hexOf<Oid>(oid), reason: 'create' as const };
    if (!(await moveRef(tx, ctx, move))) throw new Error(`${name} is there already in a new repo`);
  }
  // behind the refs, which a rule might not let begin like this
  await tx.query(
    `INSERT INTO protected_branch (repo_id, pattern, require_pull_request, created_by)
     SELECT $1, pattern, require_pull_request, $3 FROM protected_branch WHERE repo_id = $2`,
    [to.id, from.id, to.createdBy],
  );
  await tx.query('UPDATE repo SET default_branch = $2 WHERE id = $1', [to.id, from.defaultBranch]);
}

/**
 * A copy of a repo with its whole history: objects, branches with their protections, tags and large files, as they are
 * at one moment; pull requests and discussions stay behind. No bytes are copied: the copy holds the same stored files by edges of its
 * own. One transaction: whole or not at all. Throws repo_not_found (the original), forbidden (the target namespace),
 * invalid_input (name), conflict_exists (the address is taken), quota_exceeded, busy (files of the original are just being deleted).
 */
export async function duplicateRepo(ctx: Ctx, from: RepoRef, request: Duplicate): Promise<Repo> {
  const original = await requireRead(ctx, from);
  const namespace = await requireCreate(ctx, original.type, request.namespace);
  validateName(request.name);
  const visibility = request.visibility ?? original.visibility;
  try {
    const copyAll = async (tx: Tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
      const asked = { type: original.type, name: request.name, visibility };
      const copy = await insertRepo(tx, ctx, asked, namespace);
      await copyHistory(tx, ctx, original, copy);
      await requireRoomForRepo(tx, ctx.config, copy.id, { isNew: true });
      return { ...copy, defaultBranch: original.defaultBranch };
    };
    return await whileHolderIsLocked(ctx, namespace.id, () => transaction(ctx.db, copyAll));
  } catch (error) {
    if (isUniqueViolation(error, 'repo_live_name'))
      throw hubError('conflict_exists', `You already created this ${original.type} repo`);
    throw error;
  }
}

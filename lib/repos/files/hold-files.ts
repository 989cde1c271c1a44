import type { Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { bytesOf, type RepoId, type Sha256 } from '#lib/base/ids.ts';

/**
 * Inside a transaction that makes pointers reachable, under the lock of the ref that it moves: makes sure that the
 * repo still holds these files, and that nobody deletes them before the transaction ends. Whoever puts pointers into
 * a history calls it, since between the check of an upload and the move of the ref the file may be permanently
 * deleted. Throws invalid_object. Plan: one probe of repo_file_pkey per file.
 */
export async function holdFiles(tx: Tx, repoId: RepoId, sha256s: readonly Sha256[]): Promise<void> {
  const wanted = [...new Set(sha256s)];
  if (wanted.length === 0) return;
  const { rowCount } = await tx.query(
    'SELECT 1 FROM repo_file WHERE repo_id = $1 AND sha256 = ANY($2::bytea[]) ORDER BY sha256 FOR KEY SHARE',
    [repoId, wanted.map(bytesOf)],
  );
  if (rowCount !== wanted.length)
    throw hubError('invalid_object', 'A large file of this commit was deleted meanwhile. Upload it again.');
}

import type { Tx } from '#lib/base/db.ts';
import { type HubError, hubError } from '#lib/base/errors.ts';
import type { Repo } from './types.ts';

/** The refusal of a name that is taken, in the Hub's words. */
export const refExists = (ref: string): HubError =>
  hubError('conflict_exists', `Reference ${ref} already exists`);

/**
 * Inside the caller's transaction, for a ref that does not exist yet (full name): refuses a name that would be a
 * folder of another ref's name, or the other way round, as git's files do. Names are given one at a time (the repo's
 * row stays locked), so that two that exclude each other cannot both be. Throws conflict_exists.
 */
export async function reserveRefName(tx: Tx, repo: Repo, ref: string): Promise<void> {
  await tx.query('SELECT 1 FROM repo WHERE id = $1 FOR UPDATE', [repo.id]);
  const above = ref.split('/').map((_, depth, parts) => parts.slice(0, depth).join('/'));
  const { rows } = await tx.query<{ name: string }>(
    `SELECT name FROM ref WHERE repo_id = $1 AND (name = ANY($2::text[]) OR starts_with(name, $3)) LIMIT 1`,
    [repo.id, above, `${ref}/`],
  );
  const [other] = rows;
  if (other)
    throw hubError(
      'conflict_exists',
      `Reference ${ref} cannot exist beside ${other.name}: one is a folder of the other`,
    );
}

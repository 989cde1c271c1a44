import { transaction } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { notifyChange } from './events.ts';

/** Frees the name by giving the row a key that no name can have. */
export const DELETE_SQL = `UPDATE endpoint SET desired = 'deleted', name_key = '~' || id, updated_at = now()`;

/** Ends all endpoints of a repo that was deleted. May run twice. */
export async function deleteEndpointsOfRepo(app: Pick<App, 'db'>, repoId: RepoId): Promise<void> {
  await transaction(app.db, async (tx) => {
    const { rows } = await tx.query<{ id: string }>(
      `${DELETE_SQL} WHERE repo_id = $1 AND desired <> 'deleted' RETURNING id`,
      [repoId],
    );
    for (const { id } of rows) await notifyChange(tx, id, { wanted: true });
  });
}

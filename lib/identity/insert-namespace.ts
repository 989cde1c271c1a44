import { isUniqueViolation, type Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { newId } from '#lib/base/ids.ts';
import { nameSkeleton } from './names.ts';

/** Throws conflict_exists when a name, taken now or ever, looks like this one (`huggingface`, `hugglngface`). */
export async function refuseLookAlike(tx: Tx, name: string): Promise<void> {
  // namespace_skeleton
  const { rows } = await tx.query<{ name: string }>(
    `SELECT name FROM namespace
     WHERE replace(replace(translate(name_key, '01l-_.', 'oii'), 'vv', 'w'), 'rn', 'm') = $1 AND name_key <> $2 LIMIT 1`,
    [nameSkeleton(name), name.toLowerCase()],
  );
  if (rows[0]) {
    throw hubError('conflict_exists', `name "${name}" looks too much like "${rows[0].name}": choose another`);
  }
}

/**
 * Takes a name for a user or an organization and returns its new id. A name is given once, ever: throws
 * conflict_exists also when its former owner is gone.
 */
export async function insertNamespace(tx: Tx, kind: 'user' | 'org', name: string): Promise<string> {
  const id = newId();
  try {
    await tx.query('INSERT INTO namespace (id, name, name_key, kind) VALUES ($1, $2, lower($2), $3)', [
      id,
      name,
      kind,
    ]);
  } catch (error) {
    if (isUniqueViolation(error, 'namespace_name_key_key')) {
      throw hubError('conflict_exists', `name "${name}" is taken`, { cause: error });
    }
    throw error;
  }
  return id;
}

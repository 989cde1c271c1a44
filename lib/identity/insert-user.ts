import { isUniqueViolation, type Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { type Actor, audit } from './audit.ts';
import { insertNamespace } from './insert-namespace.ts';

export interface NewUser {
  readonly name: string;
  readonly fullname: string;
  readonly email: string | null;
  readonly passwordHash: string | null;
  readonly isAdmin: boolean;
}

/** Adds a user and the audit event to the caller's transaction; returns the id. The name must have been validated. */
export async function insertUser(tx: Tx, actor: Actor, user: NewUser): Promise<string> {
  const id = await insertNamespace(tx, 'user', user.name);
  try {
    await tx.query(
      `INSERT INTO user_account (id, fullname, email, email_key, password_hash, is_admin)
       VALUES ($1, $2, $3, lower($3), $4, $5)`,
      [id, user.fullname, user.email, user.passwordHash, user.isAdmin],
    );
  } catch (error) {
    if (isUniqueViolation(error, 'user_account_email_key_key')) {
      throw hubError('conflict_exists', 'this e-mail address belongs to another account', { cause: error });
    }
    throw error;
  }
  await audit(tx, actor, {
    action: 'user.create',
    subject: `user:${user.name}`,
    details: user.isAdmin ? { admin: true } : {},
  });
  return id;
}

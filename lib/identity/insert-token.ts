import { randomBytes } from 'node:crypto';
import { isUniqueViolation, type Tx } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { newId } from '#lib/base/ids.ts';
import { type Actor, audit } from './audit.ts';
import { hashToken } from './authenticate.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

export interface NewToken {
  readonly userId: string;
  readonly userName: string;
  readonly name: string;
  readonly role: 'read' | 'write';
  readonly expiresAt: Date | null;
}

/** A fresh access token: `hf_` and 40 letters and digits (238 bits), each drawn without bias. */
export function newToken(): string {
  let text = '';
  while (text.length < 40) {
    for (const byte of randomBytes(64)) {
      if (byte < 248 && text.length < 40) text += ALPHABET[byte % 62];
    }
  }
  return `hf_${text}`;
}

/**
 * Stores the hash of a token and the audit event in the caller's transaction; returns the token's id. Throws
 * conflict_exists when the user has a live token of this name.
 */
export async function insertToken(tx: Tx, actor: Actor, token: string, facts: NewToken): Promise<string> {
  const id = newId();
  try {
    await tx.query(
      `INSERT INTO access_token (id, user_id, name, token_hash, hint, role, expires_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7)`,
      [id, facts.userId, facts.name, hashToken(token), token.slice(-4), facts.role, facts.expiresAt],
    );
  } catch (error) {
    if (isUniqueViolation(error, 'access_token_name')) {
      throw hubError('conflict_exists', `an access token named "${facts.name}" exists: choose another name`, {
        cause: error,
      });
    }
    throw error;
  }
  await audit(tx, actor, {
    action: 'token.create',
    subject: `user:${facts.userName}`,
    details: { tokenId: id, name: facts.name, role: facts.role },
  });
  return id;
}

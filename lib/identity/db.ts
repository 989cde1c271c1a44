import type { Queryable } from '#lib/base/db.ts';
import type { OrgMembership, UserPrincipal } from './principal.ts';

/** A user as a credential shows them, before it is said which credential it was. */
type UserFacts = Omit<UserPrincipal, 'kind' | 'via' | 'token'>;

interface TokenFacts {
  readonly user: UserFacts;
  readonly token: NonNullable<UserPrincipal['token']>;
  readonly lastUsedAt: Date | null;
}

interface UserRow {
  id: string;
  name: string;
  fullname: string;
  email: string | null;
  is_admin: boolean;
  orgs: OrgMembership[];
}

// One index probe per table: access_token_token_hash_key or session_pkey, user_account_pkey, namespace_pkey,
// membership_user_id_idx. At most 1,000 organizations travel with a principal.
const USER_COLUMNS = `u.id, n.name, u.fullname, u.email, u.is_admin,
  (SELECT coalesce(json_agg(json_build_object('id', m.id, 'name', m.name, 'fullname', m.fullname, 'role', m.role)), '[]')
   FROM (SELECT o.id, n2.name, o.fullname, m2.role
         FROM membership m2 JOIN org o ON o.id = m2.org_id JOIN namespace n2 ON n2.id = o.id
         WHERE m2.user_id = u.id AND n2.deleted_at IS NULL ORDER BY n2.name_key LIMIT 1000) m) AS orgs`;

function userOf(row: UserRow): UserFacts {
  return {
    id: row.id,
    name: row.name,
    fullname: row.fullname,
    email: row.email,
    isAdmin: row.is_admin,
    orgs: row.orgs,
  };
}

interface TokenRow extends UserRow {
  token_id: string;
  token_name: string;
  token_role: 'read' | 'write';
  token_created_at: Date;
  last_used_at: Date | null;
}

/** The live token with this hash or id and its user, or null when it is unknown, revoked, expired or its user suspended. */
export async function findToken(
  db: Queryable,
  by: { hash: Buffer } | { id: string },
  nowMs: number,
): Promise<TokenFacts | null> {
  const isHash = 'hash' in by;
  const { rows } = await db.query<TokenRow>(
    `SELECT ${USER_COLUMNS}, t.id AS token_id, t.name AS token_name, t.role AS token_role,
            t.created_at AS token_created_at, t.last_used_at
     FROM access_token t JOIN user_account u ON u.id = t.user_id JOIN namespace n ON n.id = u.id
     WHERE ${isHash ? 't.token_hash' : 't.id'} = $1 AND t.revoked_at IS NULL
       AND (t.expires_at IS NULL OR t.expires_at > $2) AND u.suspended_at IS NULL AND n.deleted_at IS NULL`,
    [isHash ? by.hash : by.id, new Date(nowMs)],
  );
  const row = rows[0];
  if (!row) return null;
  return {
    user: userOf(row),
    token: {
      id: row.token_id,
      name: row.token_name,
      role: row.token_role,
      createdAt: row.token_created_at.toISOString(),
    },
    lastUsedAt: row.last_used_at,
  };
}

/** The user with this id, or null when there is none or they are suspended. */
export async function findUser(db: Queryable, userId: string): Promise<UserFacts | null> {
  const { rows } = await db.query<UserRow>(
    `SELECT ${USER_COLUMNS} FROM user_account u JOIN namespace n ON n.id = u.id
     WHERE u.id = $1 AND u.suspended_at IS NULL AND n.deleted_at IS NULL`,
    [userId],
  );
  return rows[0] ? userOf(rows[0]) : null;
}

/** The user of the live session with this hashed id, or null. */
export async function findSessionUser(
  db: Queryable,
  idHash: Buffer,
  nowMs: number,
): Promise<UserFacts | null> {
  const { rows } = await db.query<UserRow>(
    `SELECT ${USER_COLUMNS}
     FROM session s JOIN user_account u ON u.id = s.user_id JOIN namespace n ON n.id = u.id
     WHERE s.id_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > $2
       AND u.suspended_at IS NULL AND n.deleted_at IS NULL`,
    [idHash, new Date(nowMs)],
  );
  return rows[0] ? userOf(rows[0]) : null;
}

/** The user who signs in under this name or e-mail address (lower case), or null. */
export async function findLogin(
  db: Queryable,
  loginKey: string,
): Promise<{ id: string; name: string; passwordHash: string | null } | null> {
  const { rows } = await db.query<{ id: string; name: string; password_hash: string | null }>(
    `SELECT u.id, n.name, u.password_hash FROM user_account u JOIN namespace n ON n.id = u.id
     WHERE u.id = coalesce((SELECT id FROM namespace WHERE name_key = $1 AND kind = 'user'),
                           (SELECT id FROM user_account WHERE email_key = $1))
       AND u.suspended_at IS NULL AND n.deleted_at IS NULL`,
    [loginKey],
  );
  const row = rows[0];
  return row ? { id: row.id, name: row.name, passwordHash: row.password_hash } : null;
}

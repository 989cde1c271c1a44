import type { Tx } from '#lib/base/db.ts';
import { type Actor, audit } from './audit.ts';
import { hashToken } from './authenticate.ts';
import { insertNamespace } from './insert-namespace.ts';
import { insertToken } from './insert-token.ts';
import { insertUser } from './insert-user.ts';
import type { OrgRole } from './principal.ts';
import type { Seed } from './read-seed.ts';

type SeedUser = Seed['users'][number];
type SeedOrg = Seed['organizations'][number];
type SeedToken = SeedUser['tokens'][number];

interface Holder {
  readonly id: string;
  readonly name: string;
}

async function holderOf(tx: Tx, kind: 'user' | 'org', name: string): Promise<Holder | null> {
  const { rows } = await tx.query<Holder & { kind: string; deleted_at: Date | null }>(
    'SELECT id, name, kind, deleted_at FROM namespace WHERE name_key = lower($1)',
    [name],
  );
  const row = rows[0];
  if (!row) return null;
  if (row.deleted_at)
    throw new Error(`the name "${name}" was used by an account that is gone and stays taken`);
  if (row.kind !== kind)
    throw new Error(`the name "${name}" belongs to ${row.kind === 'org' ? 'an organization' : 'a user'}`);
  return row;
}

/** A name for the token that no live token of the user has: `ci`, `ci 2`, … */
async function freeTokenName(tx: Tx, userId: string, name: string): Promise<string> {
  const { rows } = await tx.query<{ key: string }>(
    'SELECT lower(name) AS key FROM access_token WHERE user_id = $1 AND revoked_at IS NULL',
    [userId],
  );
  const taken = new Set(rows.map((row) => row.key));
  let free = name;
  for (let n = 2; taken.has(free.toLowerCase()); n += 1) free = `${name} ${n}`;
  return free;
}

/** Adds a token given in clear unless it was ever added: one that was revoked stays revoked. Throws when it is someone else's. */
async function ensureToken(tx: Tx, actor: Actor, user: Holder, token: SeedToken): Promise<void> {
  const { rows } = await tx.query<{ user_id: string }>(
    'SELECT user_id FROM access_token WHERE token_hash = $1',
    [hashToken(token.token)],
  );
  if (rows[0]) {
    if (rows[0].user_id !== user.id)
      throw new Error(`the token "${token.name}" of ${user.name} belongs to another user`);
    return;
  }
  await insertToken(tx, actor, token.token, {
    userId: user.id,
    userName: user.name,
    name: await freeTokenName(tx, user.id, token.name),
    role: token.role,
    expiresAt: null,
  });
}

/**
 * Makes the user exist with what the seed says of them, and returns them. The password counts only for a user who
 * has none, since its owner may have changed it; `admin: false` takes nothing away.
 */
export async function ensureUser(
  tx: Tx,
  actor: Actor,
  wanted: Omit<SeedUser, 'password'> & { passwordHash: string | null },
): Promise<Holder & { created: boolean }> {
  let user = await holderOf(tx, 'user', wanted.name);
  const created = user === null;
  if (user) {
    await tx.query(
      `UPDATE user_account SET fullname = coalesce($2, fullname), is_admin = is_admin OR $3,
         email = coalesce($4, email), email_key = coalesce(lower($4), email_key),
         password_hash = coalesce(password_hash, $5) WHERE id = $1`,
      [user.id, wanted.fullname ?? null, wanted.admin, wanted.email ?? null, wanted.passwordHash],
    );
  } else {
    const id = await insertUser(tx, actor, {
      name: wanted.name,
      fullname: wanted.fullname ?? wanted.name,
      email: wanted.email ?? null,
      passwordHash: wanted.passwordHash,
      isAdmin: wanted.admin,
    });
    user = { id, name: wanted.name };
  }
  for (const token of wanted.tokens) await ensureToken(tx, actor, user, token);
  return { ...user, created };
}

async function ensureOrg(tx: Tx, actor: Actor, wanted: SeedOrg): Promise<Holder> {
  const found = await holderOf(tx, 'org', wanted.name);
  if (found) {
    await tx.query('UPDATE org SET fullname = coalesce($2, fullname) WHERE id = $1', [
      found.id,
      wanted.fullname ?? null,
    ]);
    return found;
  }
  const id = await insertNamespace(tx, 'org', wanted.name);
  await tx.query('INSERT INTO org (id, fullname, default_private) VALUES ($1, $2, $3)', [
    id,
    wanted.fullname ?? wanted.name,
    wanted.defaultPrivate,
  ]);
  await audit(tx, actor, { action: 'org.create', subject: `org:${wanted.name}` });
  return { id, name: wanted.name };
}

async function ensureMember(
  tx: Tx,
  actor: Actor,
  org: Holder,
  userName: string,
  role: OrgRole,
): Promise<void> {
  const user = await holderOf(tx, 'user', userName);
  if (!user) throw new Error(`organization ${org.name}: there is no user "${userName}"`);
  const { rowCount } = await tx.query(
    `INSERT INTO membership (org_id, user_id, role) VALUES ($1, $2, $3)
     ON CONFLICT (org_id, user_id) DO UPDATE SET role = excluded.role WHERE membership.role <> excluded.role`,
    [org.id, user.id, role],
  );
  if (rowCount) {
    await audit(tx, actor, {
      action: 'org.member',
      subject: `org:${org.name}`,
      details: { user: user.name, role },
    });
  }
}

/**
 * Brings users, tokens, organizations and roles of a seed into the database, in the caller's transaction. Repeating
 * it changes nothing; it never removes anything. `passwordHashes` has the hash for each user (by position) who needs one.
 */
export async function applySeed(
  tx: Tx,
  actor: Actor,
  seed: Seed,
  passwordHashes: readonly (string | null)[],
): Promise<void> {
  for (const [index, user] of seed.users.entries()) {
    await ensureUser(tx, actor, { ...user, passwordHash: passwordHashes[index] ?? null });
  }
  for (const wanted of seed.organizations) {
    const org = await ensureOrg(tx, actor, wanted);
    for (const member of wanted.members) await ensureMember(tx, actor, org, member.user, member.role);
  }
}

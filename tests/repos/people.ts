import { randomBytes } from 'node:crypto';
import type { Db } from '#lib/base/db.ts';
import { newId, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { OrgRole, UserPrincipal } from '#lib/identity/principal.ts';

async function insertNamespace(db: Db, name: string, kind: 'user' | 'org'): Promise<string> {
  const id = newId();
  await db.query('INSERT INTO namespace (id, name, name_key, kind) VALUES ($1, $2, lower($2), $3)', [
    id,
    name,
    kind,
  ]);
  return id;
}

/** A user in the database, as a request with their write token has them. */
export async function makeUser(
  db: Db,
  name: string,
  role: 'read' | 'write' = 'write',
): Promise<UserPrincipal> {
  const id = await insertNamespace(db, name, 'user');
  await db.query('INSERT INTO user_account (id, fullname) VALUES ($1, $2)', [id, name]);
  const token = { id: newId(), name: 'test', role, createdAt: new Date(0).toISOString() };
  return {
    kind: 'user',
    id,
    name,
    fullname: name,
    email: null,
    isAdmin: false,
    orgs: [],
    via: 'token',
    token,
  };
}

/** An organization; `as` gives a user with a role in it. */
export async function makeOrg(
  db: Db,
  name: string,
  defaultPrivate = false,
): Promise<{ id: string; as(user: UserPrincipal, role: OrgRole): UserPrincipal }> {
  const id = await insertNamespace(db, name, 'org');
  await db.query('INSERT INTO org (id, fullname, default_private) VALUES ($1, $2, $3)', [
    id,
    name,
    defaultPrivate,
  ]);
  return {
    id,
    as: (user, role) => ({ ...user, orgs: [...user.orgs, { id, name, fullname: name, role }] }),
  };
}

/** Gives a repo the edge to a large file, as an upload would; returns its sha256. */
export async function giveFile(db: Db, repoId: RepoId, sizeBytes: number, sha256?: Sha256): Promise<Sha256> {
  const hash = sha256 ?? (randomBytes(32).toString('hex') as Sha256);
  const { rows } = await db.query<{ id: number }>(
    `INSERT INTO stored_object (key, size_bytes, sha256, state) VALUES ($1, $2, decode($3, 'hex'), 'live') RETURNING id`,
    [`blob/${randomBytes(12).toString('hex')}`, sizeBytes, hash],
  );
  await db.query(
    `INSERT INTO repo_file (repo_id, sha256, size_bytes, object_id, created_by)
     VALUES ($1, decode($2, 'hex'), $3, $4, 'test')`,
    [repoId, hash, sizeBytes, rows[0]?.id],
  );
  return hash;
}

/** An operation that writes text. */
export const file = (path: string, text: string) => ({
  kind: 'file' as const,
  path,
  content: Buffer.from(text),
});

/** A commit header with this summary. */
export const header = (summary: string, parentCommit: string | null = null) => ({
  summary,
  description: '',
  parentCommit,
});

import { randomInt } from 'node:crypto';
import { type Tx, transaction } from '#lib/base/db.ts';
import { isHubError } from '#lib/base/errors.ts';
import { applySeed, ensureUser } from './apply-seed.ts';
import { type Actor, audit } from './audit.ts';
import { isTokenShaped } from './authenticate.ts';
import type { App } from './context.ts';
import { hashPassword, passwordMatches } from './passwords.ts';
import { SYSTEM } from './principal.ts';
import { readSeed, type Seed } from './read-seed.ts';

export interface Bootstrapped {
  readonly adminName: string;
  /** Only from the start that made the administrator without LARDER_ADMIN_PASSWORD. Show it once; it is stored nowhere. */
  readonly generatedPassword?: string;
}

const ACTOR: Actor = { principal: SYSTEM, ip: null, requestId: 'bootstrap' };
const NO_SEED: Seed = { users: [], organizations: [] };
/** Letters and digits that are not mistaken for each other when copied by eye. */
const READABLE = 'abcdefghijkmnpqrstuvwxyz23456789';

function generatePassword(): string {
  const group = () => Array.from({ length: 5 }, () => READABLE[randomInt(READABLE.length)]).join('');
  return [group(), group(), group(), group()].join('-');
}

/** Hashes of the passwords of those seeded users who have none yet: costly, so before the transaction. */
async function hashMissing(app: App, seed: Seed): Promise<(string | null)[]> {
  const { rows } = await app.db.query<{ name_key: string }>(
    `SELECT n.name_key FROM namespace n JOIN user_account u ON u.id = n.id
     WHERE n.name_key = ANY ($1) AND u.password_hash IS NOT NULL`,
    [seed.users.map((user) => user.name.toLowerCase())],
  );
  const done = new Set(rows.map((row) => row.name_key));
  const hashOf = async (user: Seed['users'][number]) =>
    user.password === undefined || done.has(user.name.toLowerCase()) ? null : hashPassword(user.password);
  const hashes: (string | null)[] = [];
  for (const user of seed.users) hashes.push(await hashOf(user));
  return hashes;
}

/**
 * LARDER_ADMIN_PASSWORD is applied when it is new, so that changing it recovers a lost account, and left alone
 * afterwards, so that a password changed in the settings survives restarts.
 */
async function applyAdminPassword(
  tx: Tx,
  userId: string,
  password: string,
  passwordHash: string,
): Promise<void> {
  const { rows } = await tx.query<{ value: Buffer }>(
    `SELECT value FROM secret WHERE name = 'admin password applied'`,
  );
  const applied = rows[0]?.value.toString('utf8') ?? null;
  if (await passwordMatches(applied, password)) return;
  await tx.query('UPDATE user_account SET password_hash = $2 WHERE id = $1', [userId, passwordHash]);
  await tx.query('UPDATE session SET revoked_at = now() WHERE user_id = $1 AND revoked_at IS NULL', [userId]);
  await tx.query(
    `INSERT INTO secret (name, value) VALUES ('admin password applied', $1)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    [Buffer.from(passwordHash)],
  );
  await audit(tx, ACTOR, {
    action: 'user.password',
    subject: 'user:(administrator)',
    details: { by: 'LARDER_ADMIN_PASSWORD' },
  });
}

/**
 * Makes the administrator and everything of LARDER_SEED exist: at every start, in one transaction, one process at a
 * time. Repeating it changes nothing. Throws an Error that names what is wrong with the configuration or the file,
 * and then nothing was changed.
 */
export async function bootstrap(app: App): Promise<Bootstrapped> {
  const {
    LARDER_ADMIN_NAME: adminName,
    LARDER_ADMIN_PASSWORD: given,
    LARDER_ADMIN_TOKEN: token,
  } = app.config;
  if (!/^[A-Za-z0-9_.-]{1,96}$/.test(adminName))
    throw new Error('LARDER_ADMIN_NAME is not a possible user name');
  if (token !== undefined && !isTokenShaped(token)) {
    throw new Error('LARDER_ADMIN_TOKEN must begin with hf_ and have 35 to 256 visible ASCII characters');
  }
  const seed = app.config.LARDER_SEED ? await readSeed(app.config.LARDER_SEED) : NO_SEED;
  const passwordHashes = await hashMissing(app, seed);
  const generated = generatePassword();
  const passwordHash = await hashPassword(given ?? generated);
  const tokens = token === undefined ? [] : [{ name: 'LARDER_ADMIN_TOKEN', token, role: 'write' as const }];
  try {
    const created = await transaction(app.db, async (tx) => {
      await tx.query(`SELECT pg_advisory_xact_lock(hashtext('larder bootstrap'))`);
      const admin = await ensureUser(tx, ACTOR, { name: adminName, admin: true, tokens, passwordHash });
      if (given !== undefined) await applyAdminPassword(tx, admin.id, given, passwordHash);
      await applySeed(tx, ACTOR, seed, passwordHashes);
      return admin.created;
    });
    return created && given === undefined ? { adminName, generatedPassword: generated } : { adminName };
  } catch (error) {
    // A refusal of the rules (a name or an address taken twice) is a mistake in the configuration here.
    if (isHubError(error)) throw new Error(`bootstrap: ${error.message}`, { cause: error });
    throw error;
  }
}

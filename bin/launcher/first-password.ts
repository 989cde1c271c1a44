import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import pg from 'pg';

/** Letters and digits that nobody mistakes for one another. */
const READABLE = 'abcdefghijkmnpqrstuvwxyz23456789';

/**
 * The administrator's password for a hub that has none yet, else null. It is kept in `file` (mode 600) until it
 * was shown: a kill between making the account and printing the password must not lose it.
 */
export async function firstPassword(file: string, databaseUrl: string): Promise<string | null> {
  if (existsSync(file)) return readFileSync(file, 'utf8');
  if (await hasAdministrator(databaseUrl)) return null;
  const group = () => Array.from({ length: 5 }, () => READABLE[randomInt(READABLE.length)]).join('');
  writeFileSync(`${file}.draft`, [group(), group(), group(), group()].join('-'), {
    mode: 0o600,
    flush: true,
  });
  renameSync(`${file}.draft`, file);
  return readFileSync(file, 'utf8');
}

/** It was shown. */
export function forgetPassword(file: string): void {
  rmSync(file, { force: true });
}

/** Whether the (migrated) database holds an administrator. */
async function hasAdministrator(databaseUrl: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query('SELECT 1 FROM user_account WHERE is_admin LIMIT 1')).rowCount === 1;
  } finally {
    await client.end();
  }
}

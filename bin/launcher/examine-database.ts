import pg from 'pg';
import { pendingMigrations } from '#lib/base/migrate.ts';
import { readStoredHealth } from '#lib/repos/files/read-health.ts';
import type { Finding } from './doctor.ts';
import type { Options } from './options.ts';

const LEAST_VERSION = 150_000;
const MOST_SKEW_SECONDS = 5;

type Report = (finding: Finding) => void;

/** Reachable, new enough, migrated, in time, with an administrator and a root key. */
export async function examineDatabase(url: string, options: Options, report: Report): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    const mend = options.databaseUrl
      ? 'check DATABASE_URL and that Postgres runs'
      : 'look at postgres/postgres.log in the data folder';
    return report({ subject: 'database', state: 'broken', text: (error as Error).message, mend });
  }
  try {
    await version(client, report);
    await skew(client, report);
    if (await migrations(client, report)) {
      await contents(client, options, report);
      await stored(client, report);
    }
  } finally {
    await client.end();
  }
}

async function version(client: pg.Client, report: Report): Promise<void> {
  const { rows } = await client.query(
    `SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number`,
  );
  const { version: text, number } = rows[0];
  if (number >= LEAST_VERSION) report({ subject: 'database', state: 'ok', text: `Postgres ${text}` });
  else
    report({
      subject: 'database',
      state: 'broken',
      text: `Postgres ${text}`,
      mend: 'Larder needs 15 or newer',
    });
}

async function skew(client: pg.Client, report: Report): Promise<void> {
  const sentAt = Date.now();
  const { rows } = await client.query('SELECT extract(epoch FROM clock_timestamp()) * 1000 AS now');
  const halfWayMs = (sentAt + Date.now()) / 2;
  const seconds = Math.abs(Number(rows[0].now) - halfWayMs) / 1000;
  const text = `${seconds.toFixed(1)} s from the database's`;
  if (seconds <= MOST_SKEW_SECONDS) report({ subject: 'clock', state: 'ok', text });
  else
    report({
      subject: 'clock',
      state: 'broken',
      text,
      mend: 'set both clocks by NTP: leases and links depend on them',
    });
}

async function migrations(client: pg.Client, report: Report): Promise<boolean> {
  try {
    const pending = await pendingMigrations(client);
    if (pending.length === 0) {
      report({ subject: 'migrations', state: 'ok', text: 'none pending' });
      return true;
    }
    report({
      subject: 'migrations',
      state: 'note',
      text: `pending: ${pending.join(', ')}`,
      mend: 'npm start applies them',
    });
  } catch (error) {
    report({ subject: 'migrations', state: 'broken', text: (error as Error).message });
  }
  return false;
}

async function contents(client: pg.Client, options: Options, report: Report): Promise<void> {
  const { rows } = await client.query(
    `SELECT (SELECT count(*)::int FROM user_account WHERE is_admin AND suspended_at IS NULL) AS admins,
            EXISTS (SELECT FROM secret WHERE name = 'root') AS keyed`,
  );
  const { admins, keyed } = rows[0];
  report(
    admins > 0
      ? { subject: 'administrator', state: 'ok', text: `${admins}` }
      : {
          subject: 'administrator',
          state: 'broken',
          text: 'there is none',
          mend: `npm start makes "${options.adminName}"; LARDER_ADMIN_PASSWORD sets the password`,
        },
  );
  const external = Boolean(process.env.LARDER_SECRET);
  report(
    keyed || external
      ? { subject: 'secret', state: 'ok', text: external ? 'LARDER_SECRET' : 'in the database' }
      : { subject: 'secret', state: 'note', text: 'none yet', mend: 'npm start makes one' },
  );
}

/** What the scrub has found: objects that are lost, and whether it keeps up. */
async function stored(client: pg.Client, report: Report): Promise<void> {
  const { objects, bytes, lost, unread, lostKeys } = await readStoredHealth(client);
  if (lost > 0)
    report({
      subject: 'stored bytes',
      state: 'broken',
      text: `${lost} of ${objects + lost} objects are missing or damaged: ${lostKeys.join(', ')}`,
      mend: 'npm run check says which files they are; uploading the same bytes again heals them',
    });
  else if (unread > 0)
    report({
      subject: 'stored bytes',
      state: 'note',
      text: `${unread} of ${objects} objects were not read again for 30 days`,
      mend: 'raise LARDER_SCRUB_BYTES_PER_SECOND, or run npm run check -- --full',
    });
  else report({ subject: 'stored bytes', state: 'ok', text: `${objects} objects, ${bytes} bytes` });
}

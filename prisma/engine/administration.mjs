import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** Parameters of Prisma's URLs that Postgres does not know. */
const OURS = [
  'schema',
  'connection_limit',
  'pool_timeout',
  'socket_timeout',
  'pgbouncer',
  'statement_cache_size',
];

/** A connection to the database that a Prisma URL names, in the schema that it names. */
export async function connect(prismaUrl) {
  const url = new URL(prismaUrl);
  const schema = url.searchParams.get('schema') ?? 'public';
  for (const name of OURS) url.searchParams.delete(name);
  const client = new pg.Client({
    connectionString: url.toString(),
    ...(schema === 'public' ? {} : { options: `-c search_path=${pg.escapeIdentifier(schema)}` }),
  });
  client.on('error', () => {}); // the query in flight fails too, and that one is reported
  await client.connect();
  return { client, schema };
}

/** Connects from the server's maintenance database, since nobody can make or drop the one they are in. */
async function fromOutside(prismaUrl, work) {
  const url = new URL(prismaUrl);
  const name = decodeURIComponent(url.pathname.slice(1));
  url.pathname = '/postgres';
  url.search = '';
  const { client } = await connect(url.toString());
  try {
    return await work(client, pg.escapeIdentifier(name));
  } finally {
    await client.end();
  }
}

export async function tryConnection(url) {
  const { client } = await connect(url);
  await client.end();
  return 'Connection successful';
}

export async function createDatabase(url) {
  await fromOutside(url, (client, name) => client.query(`CREATE DATABASE ${name}`));
  return 'Database created';
}

export async function dropDatabase(url) {
  await fromOutside(url, (client, name) => client.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
  return 'Database dropped';
}

/** An empty database on the same server for trying migrations; `drop` removes it. */
export async function createShadowDatabase(url) {
  const shadow = new URL(url);
  shadow.pathname = `/prisma_migrate_shadow_db_${randomUUID()}`;
  await createDatabase(shadow.toString());
  return { url: shadow.toString(), drop: () => dropDatabase(shadow.toString()) };
}

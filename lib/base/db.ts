import pg from 'pg';

/** What a query function takes first: the pool or a transaction. */
export interface Queryable {
  query<R extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string | pg.QueryConfig,
    values?: unknown[],
  ): Promise<pg.QueryResult<R>>;
}

export type Db = pg.Pool;
/** A client inside BEGIN … COMMIT. */
export type Tx = pg.PoolClient;

const INT8 = 20;

/** int8 columns are sizes, counts and keys below 2^53: read them as numbers, and refuse to lie about larger ones. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 ${text} does not fit a number`);
  return value;
}

const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8
      ? parseInt8
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
};

/**
 * Opens the process's one pool. Statement and lock timeouts are set on every connection, so that a black-holed
 * server or a stuck lock ends as an error within seconds.
 */
export function createDb(options: { url: string; maxConnections: number; applicationName: string }): Db {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.maxConnections,
    application_name: options.applicationName,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    options: '-c statement_timeout=60000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=60000',
    types,
  });
  pool.on('error', () => {}); // an idle connection died: the next query opens another
  // one in use, between two queries of a transaction: the next query throws, nobody else may die of it
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}

/**
 * Runs `work` in one transaction: commits when it returns, rolls back when it throws or passed over a statement that
 * failed: then it throws too. No network call but queries belongs inside. The connection is destroyed, not reused, when
 * even ROLLBACK fails.
 */
export async function transaction<T>(db: Db, work: (tx: Tx) => Promise<T>): Promise<T> {
  const tx = await db.connect();
  let broken: Error | undefined;
  try {
    await tx.query('BEGIN');
    const result = await work(tx);
    // After a failed statement, even one whose error `work` passed over, Postgres answers COMMIT with a rollback.
    const { command } = await tx.query('COMMIT');
    if (command !== 'COMMIT')
      throw new Error('a statement of the transaction had failed: nothing was committed');
    return result;
  } catch (error) {
    await tx.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    tx.release(broken);
  }
}

/** True if `error` is Postgres's unique_violation (on `constraint`, when given). */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const e = error as { code?: string; constraint?: string };
  return e?.code === '23505' && (constraint === undefined || e.constraint === constraint);
}

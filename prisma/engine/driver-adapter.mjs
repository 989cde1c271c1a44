import { err, ok } from '@prisma/driver-adapter-utils';
import { connect, createShadowDatabase } from './administration.mjs';
import { toResultSet } from './column-types.mjs';

const IDENTITY = { provider: 'postgres', adapterName: 'larder-schema-engine' };
/** Leave every value in Postgres's text format: column-types.mjs reads it. */
const TEXT_FORMAT = { getTypeParser: () => (text) => text };

/** What the engine calls to reach the database and, for trying migrations, a shadow of it. */
export function adapterFactory({ url, shadowUrl }) {
  return {
    ...IDENTITY,
    connect: () => settle(() => open(url)),
    connectToShadowDb: () =>
      settle(async () => {
        if (shadowUrl) return open(shadowUrl);
        const shadow = await createShadowDatabase(url);
        return open(shadow.url, shadow.drop);
      }),
  };
}

async function open(url, afterClose = async () => {}) {
  const { client, schema } = await connect(url);
  const query = async ({ sql, args = [] }, rowMode) => {
    const result = await client.query({
      text: sql,
      values: args.length > 0 ? args : undefined, // without values Postgres takes many statements in one string
      rowMode,
      types: TEXT_FORMAT,
    });
    return Array.isArray(result) ? result.at(-1) : result;
  };
  const adapter = {
    ...IDENTITY,
    options: { usePhantomQuery: false },
    queryRaw: (statement) => settle(async () => toResultSet(await query(statement, 'array'))),
    executeRaw: (statement) => settle(async () => (await query(statement)).rowCount ?? 0),
    executeScript: (script) => settle(async () => void (await client.query(script))),
    getConnectionInfo: () => ok({ schemaName: schema, supportsRelationJoins: true }),
    // The engine uses one connection for one thing at a time, so the connection is the transaction too.
    startTransaction: () => settle(async () => (await client.query('BEGIN'), adapter)),
    commit: () => settle(async () => void (await client.query('COMMIT'))),
    rollback: () => settle(async () => void (await client.query('ROLLBACK'))),
    dispose: () =>
      settle(async () => {
        await client.end();
        await afterClose();
      }),
  };
  return adapter;
}

/** The engine takes errors as values. */
async function settle(work) {
  try {
    return ok(await work());
  } catch (error) {
    return err(describe(error));
  }
}

function describe({ code, message, severity = 'ERROR', detail, column, hint }) {
  if (!code) return { kind: 'GenericJs', id: 0, originalMessage: message };
  const original = { originalCode: code, originalMessage: message };
  return { kind: 'postgres', code, severity, message, detail, column, hint, ...original };
}

import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { createDb, type Db, transaction } from './db.ts';

let database: TestDatabase;
let db: Db;
beforeEach(async () => {
  database = await createTestDatabase();
  db = createDb({ url: database.url, maxConnections: 2, applicationName: 'test' });
});
afterEach(async () => {
  await db.end();
  await database.drop();
});

test('a connection that dies between two queries of a transaction fails the transaction and nothing else', async () => {
  const broken = transaction(db, async (tx) => {
    const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await db.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await pause(200); // nobody listens to the connection meanwhile
    await tx.query('SELECT 1');
  });
  await expect(broken).rejects.toThrow();
  const { rows } = await transaction(db, (tx) => tx.query('SELECT 1 AS one'));
  expect(rows).toEqual([{ one: 1 }]);
});

test('a transaction that passed over a failed statement does not say that it was committed', async () => {
  await db.query('CREATE TABLE noted (n int)');
  const passedOver = transaction(db, async (tx) => {
    await tx.query('INSERT INTO noted VALUES (1)');
    await tx.query('SELECT 1 / 0').catch(() => {});
  });
  await expect(passedOver).rejects.toThrow(/nothing was committed/);
  expect((await db.query('SELECT n FROM noted')).rows).toEqual([]);
});

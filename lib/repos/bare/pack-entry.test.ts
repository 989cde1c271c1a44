import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDb, type Db } from '#lib/base/db.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import type { Kind } from '../git/objects.ts';
import { ENTRY_HEADER_SQL, entryHeader, entryHeaderBytes, MAX_SQL_SIZE } from './pack-entry.ts';

let database: TestDatabase;
let db: Db;
beforeAll(async () => {
  database = await createTestDatabase();
  db = createDb({ url: database.url, maxConnections: 1, applicationName: 'test' });
});
afterAll(async () => {
  await db.end();
  await database.drop();
});

test('the database makes the same entry headers as we do, for every kind and at every length of a header', async () => {
  const edges = [0, 4, 11, 18, 25].map((bits) => 2 ** bits);
  const sizes = [...edges.flatMap((edge) => [edge - 1, edge, edge + 5]), 100, 5000, 123_456, 23_456_789];
  const { rows } = await db.query<{ kind: Kind; size: number; header: Buffer }>(
    `SELECT kind, size, ${ENTRY_HEADER_SQL} AS header
     FROM unnest('{1,2,3,4}'::int2[]) AS kind, unnest($1::int4[]) AS size`,
    [sizes.filter((size) => size < MAX_SQL_SIZE)],
  );
  expect(rows.length).toBeGreaterThan(60);
  for (const { kind, size, header } of rows) {
    expect([kind, size, header.toString('hex')]).toEqual([
      kind,
      size,
      entryHeader(kind, size).toString('hex'),
    ]);
    expect(entryHeaderBytes(size)).toBe(header.length);
  }
});

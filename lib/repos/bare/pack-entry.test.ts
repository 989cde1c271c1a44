import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDb, type Db } from '#lib/base/db.ts';
import { createTestDatabase, type TestDatabase } from '#tests/support/database.ts';
import { ENTRY_HEADER_SQL, readEntryHeader } from './pack-entry.ts';

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

test('an entry header that the database makes says kind and size, for every kind and at every length', async () => {
  const edges = [0, 4, 11, 18, 25].map((bits) => 2 ** bits);
  const sizes = [...edges.flatMap((edge) => [edge - 1, edge, edge + 5]), 100, 5000, 23_456_789, 2 ** 31 - 1];
  const { rows } = await db.query<{ kind: number; size: number; header: Buffer }>(
    `SELECT kind, size, ${ENTRY_HEADER_SQL} AS header
     FROM unnest('{1,2,3,4}'::int2[]) AS kind, unnest($1::int4[]) AS size`,
    [sizes],
  );
  expect(rows).toHaveLength(4 * sizes.length);
  for (const { kind, size, header } of rows) {
    const behind = Buffer.concat([Buffer.from([7]), header, Buffer.from([0xff])]);
    expect(readEntryHeader(behind, 1)).toEqual({ kind, sizeBytes: size, end: 1 + header.length });
  }
  const example = rows.find(({ kind, size }) => kind === 3 && size === 100)?.header;
  expect(example).toEqual(Buffer.from([0b1_011_0100, 0b0_0000110])); // as git writes it
});

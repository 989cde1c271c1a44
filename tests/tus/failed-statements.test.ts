import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sendByTus } from './js-client.ts';
import { fileOf, startTusHub, type TusHub, tokenOf } from './tus-hub.ts';

const MIB = 2 ** 20;
let hub: TusHub;
beforeAll(async () => {
  hub = await startTusHub({ LOG_LEVEL: 'silent' });
  await hub.app.db.query(
    `CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$ LANGUAGE plpgsql`,
  );
});
afterAll(() => hub.close());

interface Statement {
  /** `INSERT`, `UPDATE`, or both. */
  readonly of: string;
  readonly table: string;
  readonly when?: string;
  /** Only COMMIT fails. */
  readonly deferred?: boolean;
}

/** Makes Postgres fail statements like this one; the answer undoes that. */
async function failing({ of, table, when = 'true', deferred }: Statement): Promise<() => Promise<unknown>> {
  await hub.app.db.query(
    `CREATE ${deferred ? 'CONSTRAINT' : ''} TRIGGER refused AFTER ${of} ON ${table}
     ${deferred ? 'DEFERRABLE INITIALLY DEFERRED' : ''} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION refuse()`,
  );
  return () => hub.app.db.query(`DROP TRIGGER refused ON ${table}`);
}

/** What the hub says of a file: rows of every kind that its upload makes. */
async function effects(sha256: string) {
  const hash = Buffer.from(sha256, 'hex');
  const count = async (from: string, value: unknown) =>
    (await hub.app.db.query(`SELECT 1 FROM ${from}`, [value])).rowCount;
  return {
    edges: await count('repo_file WHERE sha256 = $1', hash),
    objects: await count('stored_object WHERE sha256 = $1', hash),
    events: await count(`audit_event WHERE action = 'repo.upload' AND details->>'sha256' = $1`, sha256),
    done: await count(`tus_upload WHERE state = 'done' AND sha256 = $1`, hash),
  };
}
const NOTHING = { edges: 0, objects: 0, events: 0, done: 0 };
const ALL = { edges: 1, objects: 1, events: 1, done: 1 };
const counted = async () =>
  (await hub.app.db.query('SELECT coalesce(sum(logical_bytes), 0)::bigint AS n FROM repo_storage')).rows[0]
    ?.n;

describe('F7: the transaction that links an upload fails', () => {
  test.each([
    ['closing the upload', { of: 'UPDATE', table: 'tus_upload', when: `NEW.state = 'done'` }],
    ['the object', { of: 'INSERT', table: 'stored_object' }],
    ['the edge', { of: 'INSERT', table: 'repo_file' }],
    ['what the owner uses', { of: 'INSERT OR UPDATE', table: 'repo_storage' }],
    ['the audit event', { of: 'INSERT', table: 'audit_event', when: `NEW.action = 'repo.upload'` }],
    ['COMMIT', { of: 'INSERT', table: 'repo_file', deferred: true }],
  ])(
    'at %s: none of its effects is there, no byte is lost, and asking again finishes it without sending one',
    async (_, statement) => {
      const { bytes, sha256 } = fileOf(20 * MIB);
      const location = await hub.create('alice/one', { path: 'm.bin', sha256 }, bytes.length);
      const before = await counted();
      const mend = await failing(statement);
      for (const ask of [() => hub.patch(location, 0, bytes), () => hub.tus('HEAD', location)]) {
        const answer = await ask();
        expect([answer.status, answer.headers.get('larder-sha256')]).toEqual([500, null]);
        expect(await effects(sha256)).toEqual(NOTHING);
        expect(await counted()).toBe(before);
        expect(await hub.read('alice/one', sha256)).toBeNull();
      }
      await mend();
      const done = await hub.tus('HEAD', location);
      expect(done.headers.get('larder-sha256')).toBe(sha256);
      expect(await effects(sha256)).toEqual(ALL);
      expect(Number(await counted()) - Number(before)).toBe(bytes.length);
      expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
    },
  );

  test('and the client of the pages gets there by itself when it ends', async () => {
    const { bytes, sha256 } = fileOf(3 * MIB);
    const mend = await failing({ of: 'INSERT', table: 'repo_file' });
    const sending = sendByTus(`${hub.url}/api/models/alice/one/tus`, tokenOf('alice'), bytes, {
      metadata: { sha256 },
    });
    let refusals = 0;
    sending.upload.options.onShouldRetry = () => {
      refusals += 1;
      if (refusals === 2) void mend();
      return true;
    };
    await sending.done;
    expect(refusals).toBeGreaterThanOrEqual(2);
    expect(await effects(sha256)).toEqual(ALL);
  });
});

describe('F7: a statement that counts what arrived fails', () => {
  test.each([
    [
      'the row of the upload',
      { of: 'UPDATE', table: 'tus_upload', when: 'NEW.received_bytes > OLD.received_bytes' },
    ],
    ['the row of the part', { of: 'INSERT', table: 'tus_part' }],
    [
      'the row that names the upload at the store',
      { of: 'UPDATE', table: 'tus_upload', when: 'NEW.storage_upload_id IS NOT NULL' },
    ],
  ])(
    '%s: the offset stays where it was, and the same bytes sent again make the file',
    async (_, statement) => {
      const { bytes, sha256 } = fileOf(40 * MIB);
      const location = await hub.create('alice/one', { path: 'm.bin', sha256 }, bytes.length);
      const mend = await failing(statement);
      expect((await hub.patch(location, 0, bytes)).status).toBe(500);
      const head = await hub.tus('HEAD', location);
      expect([head.status, head.headers.get('upload-offset')]).toEqual([200, '0']);
      await mend();
      expect((await hub.patch(location, 0, bytes)).headers.get('larder-sha256')).toBe(sha256);
      expect(await effects(sha256)).toEqual(ALL);
      expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
    },
  );
});

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { sweepStore } from '#lib/repos/files/sweep-store.ts';
import { startRgw, type TestS3 } from '#tests/support/rgw.ts';
import { type S3Fault, type S3Faults, type S3Request, startS3Faults } from '#tests/support/s3-faults.ts';
import { sendByTus } from './js-client.ts';
import { fileOf, startTusHub, type TusHub, tokenOf } from './tus-hub.ts';

const MIB = 2 ** 20;
let s3: TestS3;
let faults: S3Faults;
let hub: TusHub;
beforeAll(async () => {
  s3 = await startRgw();
  faults = await startS3Faults(s3.endpoint);
  hub = await startTusHub({
    S3_ENDPOINT: faults.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_BUCKET: 'faults',
    LOG_LEVEL: 'silent',
  });
});
afterAll(async () => {
  await hub?.close();
  await faults?.close();
  await s3?.stop();
});
afterEach(() => {
  faults.rule = () => null;
});

type Call = 'begin' | 'part' | 'complete' | 'abort' | 'head' | 'list-parts' | 'other';
function callOf({ method, query }: S3Request): Call {
  if (method === 'POST' && query.has('uploads')) return 'begin';
  if (query.has('partNumber')) return 'part';
  if (method === 'POST' && query.has('uploadId')) return 'complete';
  if (method === 'DELETE' && query.has('uploadId')) return 'abort';
  if (query.has('uploadId')) return 'list-parts';
  return method === 'HEAD' ? 'head' : 'other';
}

/** Calls of a kind get the fault: all of them, or the one of this number. */
function fail(call: Call, fault: S3Fault, only?: number): void {
  let n = 0;
  faults.rule = (request) => {
    if (callOf(request) !== call) return null;
    n += 1;
    return only === undefined || n === only ? fault : null;
  };
}

async function begunAtStore(): Promise<number> {
  let count = 0;
  for await (const _ of hub.app.store.listMultipart()) count += 1;
  return count;
}
const aDayLater = () => ({ ...hub.app, clock: { ...hub.app.clock, now: () => Date.now() + 25 * 3600_000 } });

/** The file is there, whole, once: in the database and at the store. */
async function requireOnce(bytes: Buffer, sha256: string): Promise<void> {
  expect((await hub.read('alice/one', sha256))?.equals(bytes)).toBe(true);
  const { rows } = await hub.app.db.query<{ key: string }>(
    `SELECT o.key FROM stored_object o JOIN repo_file e ON e.object_id = o.id AND o.state = 'live' WHERE e.sha256 = $1`,
    [Buffer.from(sha256, 'hex')],
  );
  expect(rows).toHaveLength(1);
  const named = (await hub.app.db.query<{ key: string }>('SELECT key FROM stored_object')).rows;
  expect(new Set(await hub.keys())).toEqual(new Set(named.map(({ key }) => key)));
  expect(await begunAtStore()).toBe(0);
}

const DONE_BUT_500 = { kind: 'done-but', status: 500, code: 'InternalError' } as const;
const ANSWER_500 = { kind: 'answer', status: 500, code: 'InternalError' } as const;
const SLOW_DOWN = { kind: 'answer', status: 503, code: 'SlowDown' } as const;
const DENIES = { kind: 'answer', status: 404, code: 'NoSuchUpload' } as const;
const LOST = { kind: 'lost' } as const;

describe('F6: the store completes an upload by tus and', () => {
  test.each([
    ['answers 500', DONE_BUT_500],
    ['the answer is lost', LOST],
    ['answers 200 with an error in the body', { kind: 'done-but-200', code: 'InternalError' }],
    ['answers 404', { kind: 'done-but', status: 404, code: 'NoSuchUpload' }],
  ] as const)(
    '%s, each time: the last PATCH says that the file is there, and it is, once',
    async (_, fault) => {
      const { bytes, sha256 } = fileOf(17 * MIB);
      const location = await hub.create('alice/one', { path: 'm.bin', sha256 }, bytes.length);
      fail('complete', fault);
      const answer = await hub.patch(location, 0, bytes);
      expect([answer.status, answer.headers.get('larder-sha256')]).toEqual([204, sha256]);
      await requireOnce(bytes, sha256);
    },
  );

  test('does not, and answers 500: 503 with Retry-After, then a HEAD finishes it', async () => {
    const { bytes, sha256 } = fileOf(17 * MIB);
    const location = await hub.create('alice/one', { path: 'm.bin', sha256 }, bytes.length);
    fail('complete', ANSWER_500);
    const answer = await hub.patch(location, 0, bytes);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    expect((await hub.tus('HEAD', location)).status).toBe(503);
    expect(await hub.read('alice/one', sha256)).toBeNull();
    faults.rule = () => null;
    expect((await hub.tus('HEAD', location)).headers.get('larder-sha256')).toBe(sha256);
    await requireOnce(bytes, sha256);
  });

  test('then is away altogether: the file is not said to be there, and is after', async () => {
    const { bytes, sha256 } = fileOf(17 * MIB);
    const location = await hub.create('alice/one', { path: 'm.bin', sha256 }, bytes.length);
    let isAway = false;
    faults.rule = (request) => {
      if (isAway) return ANSWER_500;
      isAway = callOf(request) === 'complete';
      return isAway ? LOST : null;
    };
    expect((await hub.patch(location, 0, bytes)).status).toBe(503);
    expect((await hub.tus('HEAD', location)).status).toBe(503);
    faults.rule = () => null;
    expect((await hub.tus('HEAD', location)).headers.get('larder-sha256')).toBe(sha256);
    await requireOnce(bytes, sha256);
  });
});

describe('F6: other calls of an upload by tus go wrong at the store', () => {
  test('the answer to the beginning is lost: the upload goes on, and what was begun twice is swept a day later', async () => {
    const { bytes, sha256 } = fileOf(17 * MIB);
    const location = await hub.create('alice/one', { path: 'm.bin', sha256 }, bytes.length);
    fail('begin', LOST, 1);
    expect((await hub.patch(location, 0, bytes)).headers.get('larder-sha256')).toBe(sha256);
    expect(await sweepStore(hub.app)).toBe(0);
    expect(await sweepStore(aDayLater())).toBe(1);
    await requireOnce(bytes, sha256);
  });

  test.each([
    ['its answer is lost', LOST],
    ['it is refused', SLOW_DOWN],
    ['it is denied that there is such an upload', DENIES],
  ] as const)(
    'the second part fails (%s): the first counts, and tus-js-client goes on from there by itself',
    async (_, fault) => {
      const { bytes, sha256 } = fileOf(17 * MIB);
      fail('part', fault, 2);
      const parts = () => faults.seen.filter((line) => line.startsWith('PUT ')).length;
      const before = parts();
      await sendByTus(`${hub.url}/api/models/alice/one/tus`, tokenOf('alice'), bytes, {
        metadata: { sha256 },
      }).done;
      expect(parts() - before).toBeLessThanOrEqual(5);
      await requireOnce(bytes, sha256);
    },
  );

  test('giving it up fails: the upload is over at once, and its parts are swept a day later', async () => {
    const location = await hub.create('alice/one', { path: 'm.bin' }, 40 * MIB);
    expect((await hub.patch(location, 0, fileOf(17 * MIB).bytes)).status).toBe(204);
    fail('abort', ANSWER_500);
    expect((await hub.tus('DELETE', location)).status).toBe(204);
    expect((await hub.tus('HEAD', location)).status).toBe(410);
    expect(await begunAtStore()).toBe(1);
    faults.rule = () => null;
    expect(await sweepStore(aDayLater())).toBe(1);
    expect(await begunAtStore()).toBe(0);
  });

  test('wrong bytes cannot be deleted: the refusal still says why, and nothing is linked', async () => {
    const { sha256 } = fileOf(17 * MIB);
    const location = await hub.create('alice/one', { path: 'm.bin', sha256 }, 17 * MIB);
    faults.rule = ({ method, query }) => (method === 'POST' && query.has('delete') ? ANSWER_500 : null);
    expect((await hub.patch(location, 0, Buffer.alloc(17 * MIB))).status).toBe(422);
    expect((await hub.tus('HEAD', location)).status).toBe(410);
    expect(await hub.read('alice/one', sha256)).toBeNull();
  });
});

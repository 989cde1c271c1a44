import { afterAll, beforeAll, describe, it } from 'vitest';
import { seedsAsked } from '#tests/faults/nemesis.ts';
import { startRgw, type TestS3 } from '#tests/support/rgw.ts';
import { makeHalfDead, requireRepacked } from './half-dead.ts';
import { RandomActs } from './random-acts.ts';
import { ENV, playHistory } from './random-history.ts';
import { createWorld, type World } from './world.ts';

let s3: TestS3;
const over = (bucket: string) =>
  createWorld({
    ...ENV,
    S3_ENDPOINT: s3.endpoint,
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_BUCKET: bucket,
  });
beforeAll(async () => {
  s3 = await startRgw();
});
afterAll(() => s3?.stop());

describe('over S3, files in parts among the uploads, while garbage is collected without any grace', () => {
  let w: World;
  let acts: RandomActs;
  beforeAll(async () => {
    w = await over('random');
    acts = new RandomActs(w, { withParts: true });
  });
  afterAll(() => w?.close());

  it.each(seedsAsked('1-12'))(
    'seed %i: nothing reachable is lost, and in the end nothing is left in the bucket, open uploads included',
    (seed) => playHistory(w, acts, seed),
    120_000,
  );
});

describe('half-dead xorbs in a bucket', () => {
  it('are copied into one, and go in two phases when their pins have passed', async () => {
    const w = await over('repack');
    await requireRepacked(w, await makeHalfDead(w));
    await w.close();
  });
});

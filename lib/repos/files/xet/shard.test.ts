import { randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildShard, buildXorb, contentOf, sha256Of } from '#tests/xet/build.ts';
import { hashText } from './hashes.ts';
import { parseShard } from './shard.ts';

const xorb = buildXorb([randomBytes(100), randomBytes(200)]);
const terms = [{ xorb, start: 0, end: 2 }];
const shard = buildShard([terms, []], [xorb]);

describe('parseShard', () => {
  test('reads files, terms, proofs and xorbs; the SHA-256 comes out as the usual hex', () => {
    const parsed = parseShard(shard);
    expect(parsed.files.map((f) => [f.terms.length, f.sha256])).toEqual([
      [1, sha256Of(contentOf(terms))],
      [0, sha256Of(Buffer.alloc(0))],
    ]);
    expect(parsed.files[0]?.terms[0]).toMatchObject({ rawBytes: 300, start: 0, end: 2 });
    expect(parsed.xorbs.map((x) => [hashText(x.hash), x.chunkCount])).toEqual([[xorb.hash, 2]]);
  });

  test('any damage is either read or refused as invalid, never anything else', () => {
    fc.assert(
      fc.property(fc.nat(shard.length - 1), fc.nat(255), fc.nat(shard.length), (at, value, length) => {
        const bad = Buffer.from(shard.subarray(0, length));
        if (at < length) bad[at] = value;
        try {
          parseShard(bad);
        } catch (error) {
          expect((error as Error).name).toBe('XetInvalid');
        }
      }),
      { numRuns: 3000 },
    );
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '#lib/identity/context.ts';
import { sweepUploads } from '#lib/repos/files/lfs/sweep-uploads.ts';
import {
  actionOf,
  fileOf,
  type LfsHub,
  type LocalFile,
  partsOf,
  postJson,
  randomFile,
  sendPart,
  sendParts,
  tokenOf,
} from './lfs-hub.ts';

const MIB = 1 << 20;
const OFFERED = ['basic', 'multipart'];

/** What multipart uploads must do, whichever store is behind the hub. */
export function describeMultipartUploads(name: string, start: () => Promise<LfsHub>): void {
  describe(`${name}: multipart upload`, () => {
    let hub: LfsHub;
    let large: LocalFile;
    beforeAll(async () => {
      hub = await start();
      large = randomFile(64 * MIB + 7);
    });
    afterAll(() => hub?.close());

    const begin = async (file: LocalFile, more: LocalFile[] = []) => {
      const answer = await hub.batch('alice/one', 'alice', 'upload', [file, ...more], OFFERED);
      return { answer, upload: actionOf(answer, 'upload'), verify: actionOf(answer, 'verify') };
    };
    const downloaded = async (file: LocalFile) => {
      const { href } = actionOf(await hub.batch('alice/one', 'alice', 'download', [file]), 'download');
      return Buffer.from(await (await fetch(href)).arrayBuffer());
    };

    it('answers the exact number of parts under zero-padded keys, and no other keys', async () => {
      const { answer, upload } = await begin({ ...randomFile(1), size: 128 * MIB + 1 });
      expect(answer.transfer).toBe('multipart');
      const { urls, chunkSize } = partsOf(upload);
      expect(urls.length).toBe(Math.ceil((128 * MIB + 1) / chunkSize));
      expect(Object.keys(upload.header ?? {}).sort()).toEqual(['00001', '00002', '00003', 'chunk_size']);
      expect(Object.values(upload.header ?? {}).every((value) => typeof value === 'string')).toBe(true);
    });

    it('is used only when offered, and then for the whole batch but files of no bytes', async () => {
      const [small, empty] = [randomFile(10), fileOf(Buffer.alloc(0))];
      expect((await hub.batch('alice/one', 'alice', 'upload', [large], ['basic'])).transfer).toBe('basic');
      expect((await hub.batch('alice/one', 'alice', 'upload', [small], OFFERED)).transfer).toBe('basic');
      const { answer } = await begin(large, [small, empty]);
      expect(partsOf(actionOf(answer, 'upload', 1)).urls.length).toBe(1);
      expect(actionOf(answer, 'upload', 2).header).toBeUndefined();
    });

    it('ends in a file with exactly its bytes; completing again gives the same success', async () => {
      const { upload, verify } = await begin(large);
      const parts = await sendParts(upload, large.bytes);
      expect(await hub.held('alice/one', large.oid)).toBeUndefined();
      const completion = { oid: large.oid, parts };
      expect((await postJson(upload.href, completion)).status).toBe(200);
      expect((await postJson(upload.href, completion)).status).toBe(200);
      const claim = { oid: large.oid, size: large.size };
      expect(
        (await postJson(verify.href, claim, { authorization: `Bearer ${tokenOf('alice')}` })).status,
      ).toBe(200);
      expect((await downloaded(large)).equals(large.bytes)).toBe(true);
      const again = await hub.batch('alice/one', 'alice', 'upload', [large], OFFERED);
      expect(again.objects[0]?.actions).toBeUndefined();
    });

    it('goes on after a failed and a repeated part, and may be completed twice at the same time', async () => {
      const file = fileOf(Buffer.concat([randomFile(7).bytes, large.bytes]));
      const { upload } = await begin(file);
      const { urls, chunkSize } = partsOf(upload);
      const slice = (n: number) => file.bytes.subarray((n - 1) * chunkSize, n * chunkSize);
      await sendPart(urls[1] as string, 2, slice(2));
      const two = await sendPart(urls[1] as string, 2, slice(2));
      const early = await postJson(upload.href, { oid: file.oid, parts: [two] });
      expect(early.status).toBe(400);
      expect(await early.text()).toContain('part 1 of 2');
      const one = await sendPart(urls[0] as string, 1, slice(1));
      const completion = { oid: file.oid, parts: [two, one] };
      const answers = await Promise.all([1, 2].map(() => postJson(upload.href, completion)));
      expect(answers.map((a) => a.status)).toEqual([200, 200]);
      expect((await hub.held('alice/one', file.oid))?.sizeBytes).toBe(file.size);
    });

    it('refuses wrong bytes when it completes, names both hashes and deletes the object', async () => {
      const file = fileOf(Buffer.concat([randomFile(8).bytes, large.bytes]));
      const wrong = Buffer.from(file.bytes);
      wrong.writeUInt8(wrong.readUInt8(64 * MIB + 3) ^ 1, 64 * MIB + 3);
      const before = await hub.keys();
      const { upload } = await begin(file);
      const parts = await sendParts(upload, wrong);
      const answer = await postJson(upload.href, { oid: file.oid, parts });
      expect(answer.status).toBe(422);
      const text = await answer.text();
      expect(text).toContain(file.oid);
      expect(text).toContain(fileOf(wrong).oid);
      expect(await hub.held('alice/one', file.oid)).toBeUndefined();
      expect(await hub.keys()).toEqual(before);
      expect((await postJson(upload.href, { oid: file.oid, parts })).status).toBe(400);
    });

    it('refuses another oid, forged etags, parts too many, too few, repeated or out of bounds', async () => {
      const file = fileOf(Buffer.concat([randomFile(9).bytes, large.bytes]));
      const { upload } = await begin(file);
      const parts = await sendParts(upload, file.bytes);
      const [one, two] = parts as [(typeof parts)[0], (typeof parts)[0]];
      const bad: unknown[] = [
        { oid: large.oid, parts },
        { oid: file.oid, parts: [] },
        { oid: file.oid, parts: [two] },
        { oid: file.oid, parts: [...parts, two] },
        { oid: file.oid, parts: [...parts, { ...two, partNumber: 3 }] },
        { oid: file.oid, parts: [{ ...one, partNumber: 0 }, two] },
        { oid: file.oid, parts: [{ ...one, partNumber: 10_001 }, two] },
        { oid: file.oid, parts: [{ ...one, etag: `"${'0'.repeat(32)}"` }, two] },
        { oid: file.oid, parts: [{ ...one, etag: two.etag }, two] },
        { oid: file.oid, parts: 'all' },
        {},
      ];
      for (const body of bad)
        expect((await postJson(upload.href, body)).status, JSON.stringify(body)).toBe(400);
      expect(await hub.held('alice/one', file.oid)).toBeUndefined();
      expect((await postJson(upload.href, { oid: file.oid, parts })).status).toBe(200);
    });

    it('takes no part of one upload for another', async () => {
      const a = fileOf(Buffer.concat([randomFile(10).bytes, large.bytes]));
      const b = fileOf(Buffer.concat([randomFile(10).bytes, large.bytes]));
      const [first, second] = [await begin(a), await begin(b)];
      const parts = await sendParts(first.upload, a.bytes);
      expect((await postJson(second.upload.href, { oid: b.oid, parts })).status).toBe(400);
      expect((await postJson(second.upload.href, { oid: a.oid, parts })).status).toBe(400);
      expect((await postJson(first.upload.href, { oid: b.oid, parts })).status).toBe(400);
      expect(await hub.held('alice/one', b.oid)).toBeUndefined();
    });

    it('that nobody finishes is swept after its links expired: store and row, and nothing else', async () => {
      const file = fileOf(Buffer.concat([randomFile(11).bytes, large.bytes]));
      const { upload } = await begin(file);
      const parts = await sendParts(upload, file.bytes);
      expect(await sweepUploads(hub.app)).toBe(0);
      const later: App = { ...hub.app, clock: { now: () => Date.now() + 30 * 3600_000 } };
      expect(await sweepUploads(later)).toBeGreaterThanOrEqual(1);
      expect(await sweepUploads(later)).toBe(0);
      const late = await postJson(upload.href, { oid: file.oid, parts });
      expect(late.status).toBe(400);
      expect(await late.text()).toContain('given up');
      expect((await downloaded(large)).equals(large.bytes)).toBe(true);
    });
  });
}

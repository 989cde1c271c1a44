import { createHash, randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyXetFile } from '#lib/repos/files/xet/verify-xet-file.ts';
import { buildXorb, chunkRecord } from '../xet/build.ts';
import { type Cas, type CasHub, leftovers, startCasHub, TOKENS } from '../xet/cas-hub.ts';

let hub: CasHub;
let cas: Cas;
beforeAll(async () => {
  hub = await startCasHub({ env: { LARDER_INLINE_SHA256_BYTES: '1000000' } });
  await hub.createRepo('alice', 'one');
  cas = await hub.cas('alice/one', TOKENS.alice);
});
afterAll(() => hub.close());

describe('what one client stops in the middle of does not stop others', () => {
  test('thirty xorbs that are bad from their first byte and never end leave the slots free', async () => {
    const { hostname, port } = new URL(hub.url);
    const path = `${new URL(cas.url).pathname}/v1/xorbs/default/${'0'.repeat(64)}`;
    const bad = chunkRecord(Buffer.from('abc'), 0, 3, 9);
    const stalled: Socket[] = [];
    try {
      for (let i = 0; i < 30; i++) {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => {});
        socket.write(
          `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${cas.token}\r\nContent-Length: 60000000\r\n\r\n`,
        );
        socket.write(bad);
        stalled.push(socket);
      }
      await new Promise((resolve) => setTimeout(resolve, 500));
      const xorb = buildXorb([randomBytes(5_000)]);
      const honest = await Promise.race([
        cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body),
        new Promise<null>((resolve) => setTimeout(() => resolve(null), 10_000)),
      ]);
      expect(honest?.status).toBe(200);
    } finally {
      for (const socket of stalled) socket.destroy();
    }
  }, 20_000);
});

describe('a file whose SHA-256 turned out to be a lie', () => {
  const large = () => {
    const xorb = buildXorb(Array.from({ length: 11 }, () => randomBytes(100_000)));
    return [{ xorb, start: 0, end: 11 }];
  };

  test('cannot be made readable again by sending the lie again', async () => {
    const lie = createHash('sha256').update('something else').digest('hex');
    const terms = large();
    expect((await cas.upload(terms, { sha256: lie })).status).toBe(200);
    const { rows } = await hub.app.db.query<{ id: number }>('SELECT id FROM xet_file WHERE sha256 = $1', [
      Buffer.from(lie, 'hex'),
    ]);
    await verifyXetFile(hub.app, { fileId: rows[0]?.id as number });
    const before = await leftovers(hub.app);
    const again = await cas.upload(terms, { sha256: lie });
    expect([again.status, again.headers.get('x-error-message')]).toEqual([
      400,
      expect.stringMatching(/was read back before/),
    ]);
    expect(await leftovers(hub.app)).toEqual(before);
    const state = await hub.app.db.query('SELECT sha256_state FROM xet_file WHERE id = $1', [rows[0]?.id]);
    expect(state.rows[0]?.sha256_state).toBe('bad');
  });

  test('does not stay beside the true bytes when those come as a whole object', async () => {
    const bytes = randomBytes(1_100_000);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    // The liar, who may write here too, was first: same hash, same size, other bytes, not read back yet.
    const liar = large();
    const batch = async () => {
      const answer = await hub.ask('/alice/one.git/info/lfs/objects/batch', TOKENS.alice, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ operation: 'upload', objects: [{ oid: sha256, size: bytes.length }] }),
      });
      return ((await answer.json()) as { objects: [{ actions?: { upload: { href: string } } }] }).objects[0];
    };
    expect((await cas.upload(liar, { sha256 })).status).toBe(200);
    const link = (await batch()).actions?.upload.href ?? ''; // the lie saves nobody the upload
    expect((await fetch(link, { method: 'PUT', body: new Uint8Array(bytes) })).status).toBe(200);
    const edge = await hub.app.db.query(
      'SELECT object_id IS NOT NULL AS whole, xet_file_id FROM repo_file WHERE sha256 = $1',
      [Buffer.from(sha256, 'hex')],
    );
    expect(edge.rows).toEqual([{ whole: true, xet_file_id: null }]);
  });
});

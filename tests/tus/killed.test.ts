import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Hub, startHub } from '#tests/support/hub.ts';
import { sendByTus } from './js-client.ts';
import { fileOf } from './tus-hub.ts';

const MIB = 2 ** 20;
let hub: Hub;
beforeAll(async () => {
  hub = await startHub({ env: { LOG_LEVEL: 'fatal' } });
  const created = await fetch(`${hub.url}/api/repos/create`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'r' }),
  });
  expect(created.status).toBe(200);
});
afterAll(() => hub.stop());

const asked = { headers: {} as Record<string, string> };
const head = (url: string) => {
  asked.headers = { authorization: `Bearer ${hub.adminToken}`, 'tus-resumable': '1.0.0' };
  return fetch(url, { method: 'HEAD', ...asked });
};
async function died(): Promise<void> {
  for (let tries = 0; hub.serverPid !== null; tries++) {
    if (tries > 400) throw new Error('the point was never reached');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Each with what is durable right after: bytes that a restarted server must have. */
const POINTS = [
  { point: 'tus.piece-stored=exit@2', durable: 3 },
  { point: 'upload.before-verify=exit', durable: 50 },
  { point: 'object.verified=exit', durable: 50 },
  { point: 'link.committed=exit', durable: 50 },
] as const;

describe('a server that is killed in an upload by tus-js-client', () => {
  test.each(POINTS)(
    '$point: the client goes on by itself, nothing durable is sent again, the file is whole',
    { timeout: 60_000 },
    async ({ point, durable }) => {
      await hub.kill();
      await hub.restart({ LARDER_FAILPOINTS: point });
      const { bytes, sha256 } = fileOf(50 * MIB);
      const sending = sendByTus(`${hub.url}/api/models/admin/r/tus`, hub.adminToken, bytes, {
        metadata: { sha256 },
      });
      await died();
      await hub.restart({ LARDER_FAILPOINTS: '' });
      const url = sending.upload.url as string;
      const resumed = await head(url);
      expect(Number(resumed.headers.get('upload-offset'))).toBeGreaterThanOrEqual(durable * MIB);
      await sending.done;
      expect((await head(url)).headers.get('larder-sha256')).toBe(sha256);
      const held = await fetch(`${hub.url}/admin/r.git/info/lfs/objects/batch`, {
        method: 'POST',
        ...asked,
        body: JSON.stringify({ operation: 'download', objects: [{ oid: sha256, size: bytes.length }] }),
      });
      const { objects } = (await held.json()) as {
        objects: { actions?: { download: { href: string } } }[];
      };
      const got = await fetch(objects[0]?.actions?.download.href ?? '');
      expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
    },
  );
});

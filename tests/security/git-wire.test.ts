import { createHash } from 'node:crypto';
import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { file, type HostileHub, header, startHostileHub, TOKENS, type Who } from './hostile-hub.ts';

const NO_OID = '0'.repeat(40);
const pkt = (text: string) => `${(Buffer.byteLength(text) + 4).toString(16).padStart(4, '0')}${text}`;

/** Size and kind in front of a pack's entry. */
function entryHead(kind: number, size: number): Buffer {
  const bytes: number[] = [];
  let byte = (kind << 4) | (size & 15);
  for (let rest = size >> 4; rest > 0; rest >>= 7) {
    bytes.push(byte | 128);
    byte = rest & 127;
  }
  return Buffer.from([...bytes, byte]);
}
const entry = (kind: number, content: Buffer, size = content.length) =>
  Buffer.concat([entryHead(kind, size), deflateSync(content)]);

function pack(entries: readonly Buffer[], count = entries.length): Buffer {
  const head = Buffer.alloc(12);
  head.write('PACK');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(count, 8);
  const body = Buffer.concat([head, ...entries]);
  return Buffer.concat([body, createHash('sha1').update(body).digest()]);
}

const KINDS = ['', 'commit', 'tree', 'blob', 'tag'];
const oidOf = (kind: number, content: Buffer) =>
  createHash('sha1').update(`${KINDS[kind]} ${content.length}\0`).update(content).digest('hex');
const line = (mode: string, name: string, oid: string) =>
  Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')]);
const commitOf = (tree: string, more = '', when = '1700000000 +0000') =>
  Buffer.from(`tree ${tree}\n${more}author A <a@b> ${when}\ncommitter A <a@b> ${when}\n\nx\n`);
const blob = Buffer.from('x\n');
const blobOid = oidOf(3, blob);

/** A commit of one tree and the usual blob. */
function withTree(tree: Buffer, extra: readonly Buffer[] = []): { oid: string; bytes: Buffer } {
  const commit = commitOf(oidOf(2, tree));
  return { oid: oidOf(1, commit), bytes: pack([entry(1, commit), entry(2, tree), entry(3, blob), ...extra]) };
}

let hub: HostileHub;
beforeAll(async () => {
  hub = await startHostileHub({ LOG_LEVEL: 'silent', LARDER_PUSH_BYTES: '3000000' });
  await hub.createRepo('one');
  await hub.createRepo('secret', { private: true });
  await hub.createRepo('other');
  await hub.commit('alice/other', [header, file('other.txt')]); // a head that no other repo has
});
afterAll(() => hub.close());

async function post(path: string, body: Buffer | string, as: Who = 'alice', headers = {}) {
  const answer = await fetch(`${hub.url}/${path}`, {
    method: 'POST',
    headers: { ...(as !== 'nobody' && { authorization: `Bearer ${TOKENS[as]}` }), ...headers },
    body: Buffer.from(body as string) as unknown as BodyInit,
  });
  return { status: answer.status, text: Buffer.from(await answer.arrayBuffer()).toString('latin1') };
}

async function refs(repo = 'one'): Promise<unknown> {
  const { rows } = await hub.app.db.query(
    `SELECT f.name, encode(f.oid, 'hex') AS oid FROM ref f JOIN repo r ON r.id = f.repo_id WHERE r.name = $1 ORDER BY 1`,
    [repo],
  );
  return rows;
}

async function headOf(repo: string): Promise<string> {
  return ((await refs(repo)) as { oid: string }[])[0]?.oid as string;
}

const push = (ref: string, oid: string, bytes: Buffer, old = NO_OID, abilities = 'report-status') =>
  post(
    'alice/one.git/git-receive-pack',
    Buffer.concat([Buffer.from(`${pkt(`${old} ${oid} ${ref}\0${abilities}`)}0000`), bytes]),
  );
const want = (oid: string, more = '') =>
  `${pkt('command=fetch\n')}${pkt('object-format=sha1\n')}0001${pkt(`want ${oid}\n`)}${more}${pkt('done\n')}0000`;
const V2 = { 'git-protocol': 'version=2' };
const UPLOAD = 'alice/one.git/git-upload-pack';

describe('what is no git request is refused as what it is, and nothing is left of it', () => {
  test.each(['0001', '0002', '0003', 'ffff', 'zzzz', '-001', '00', '0009ab', pkt('want x'), pkt('hello')])(
    'H46 pkt-line %j at both doors',
    async (body) => {
      const before = await refs();
      for (const path of [UPLOAD, 'alice/one.git/git-receive-pack'])
        for (const headers of [{}, V2]) {
          const { status } = await post(path, body, 'alice', headers);
          expect(status).toBeGreaterThanOrEqual(400);
          expect(status).toBeLessThan(500);
        }
      expect(await refs()).toEqual(before);
    },
  );

  test('H54 what a gzip body inflates to is what counts', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, '0014have 0000000000\n'));
    const { status } = await post(UPLOAD, bomb, 'alice', { 'content-encoding': 'gzip' });
    expect(status).toBeLessThan(500);
    expect(status).toBeGreaterThanOrEqual(400);
    const wants = pkt(`have ${'1'.repeat(40)}\n`).repeat(200_000);
    expect(
      (await post(UPLOAD, gzipSync(Buffer.from(wants)), 'alice', { 'content-encoding': 'gzip' })).status,
    ).toBe(413);
    expect((await post(UPLOAD, 'not gzip', 'alice', { 'content-encoding': 'gzip' })).status).toBe(400);
    expect((await post(UPLOAD, '0000', 'alice', { 'content-encoding': 'br' })).status).toBe(400);
  });
});

describe('what may not be had is not given', () => {
  test('H47 an object of another repo, of a deleted branch, or of a refused push is not ours', async () => {
    expect((await post(UPLOAD, want(await headOf('other')), 'alice', V2)).text).toContain('not our ref');
    const gone = withTree(line('100644', 'gone.txt', blobOid));
    expect((await push('refs/heads/gone', gone.oid, gone.bytes)).text).toContain('ok refs/heads/gone');
    expect((await post(UPLOAD, want(gone.oid), 'alice', V2)).text).toContain('PACK');
    expect((await push('refs/heads/gone', NO_OID, Buffer.alloc(0), gone.oid)).text).toContain(
      'ok refs/heads/gone',
    );
    for (const oid of [gone.oid, blobOid]) {
      expect((await post(UPLOAD, want(oid), 'alice', V2)).text).toContain('not our ref');
      const v0 = `${pkt(`want ${oid} side-band-64k\n`)}0000${pkt('done\n')}`;
      expect((await post(UPLOAD, v0)).text).toContain('not our ref');
    }
  });

  test('H48 filters and depths that are not offered are refused, many haves are borne', async () => {
    const head = await headOf('one');
    for (const filter of ['sparse:oid=main', 'tree:1', 'combine:blob:none+tree:0', 'object:type=blob', 'x'])
      expect((await post(UPLOAD, want(head, pkt(`filter ${filter}\n`)), 'alice', V2)).status).toBe(400);
    for (const depth of ['0', '-1', '99999999999', 'x'])
      expect((await post(UPLOAD, want(head, pkt(`deepen ${depth}\n`)), 'alice', V2)).status).toBe(400);
    const haves = Array.from({ length: 50_000 }, (_, i) => pkt(`have ${i.toString(16).padStart(40, '0')}\n`));
    expect((await post(UPLOAD, want(head, haves.join('')), 'alice', V2)).text).toContain('PACK');
  });

  test('H55 the right to read is no right to push, at either request', async () => {
    const body = `${pkt(`${NO_OID} ${'1'.repeat(40)} refs/heads/x\0report-status`)}0000`;
    for (const [as, status] of [
      ['reader', 403],
      ['bob', 403],
      ['nobody', 401],
    ] as const) {
      expect((await post('alice/one.git/git-receive-pack', body, as)).status).toBe(status);
      expect((await hub.ask('/alice/one.git/info/refs?service=git-receive-pack', { as })).status).toBe(
        status,
      );
    }
    const twice = '/alice/one.git/info/refs?service=git-upload-pack&service=git-receive-pack';
    expect((await hub.ask(twice)).status).toBe(400);
    expect((await hub.ask('/alice/one.git/info/refs')).status).toBe(400);
  });

  test('a private repo is as if it were not; git is asked for a name and a password', async () => {
    for (const as of ['bob', 'nobody'] as const)
      for (const service of ['git-upload-pack', 'git-receive-pack']) {
        const hidden = await hub.ask(`/alice/secret.git/info/refs?service=${service}`, { as });
        const missing = await hub.ask(`/alice/nothere.git/info/refs?service=${service}`, { as });
        expect([hidden.status, hidden.text]).toEqual([missing.status, missing.text]);
        expect(hidden.status).toBe(as === 'bob' ? 404 : 401);
        expect(hidden.headers.get('www-authenticate')).toBe(as === 'bob' ? null : 'Basic realm="Larder"');
      }
    expect(
      (await hub.ask('/api/models/alice/secret', { as: 'nobody' })).headers.get('www-authenticate'),
    ).toBe(null);
    expect((await hub.ask('/spaces/alice/one/info/refs?service=git-upload-pack')).status).toBe(404);
  });
});

describe('a push that is not sound moves nothing and leaves nothing', () => {
  const good = withTree(line('100644', 'a', blobOid));
  const flipped = Buffer.from(good.bytes);
  flipped[30] = (flipped[30] as number) ^ 1;
  const noSum = Buffer.concat([good.bytes.subarray(0, -1), Buffer.from([(good.bytes.at(-1) as number) ^ 1])]);
  const lie = pack([entry(3, blob, 5000)]);
  const refDelta = (base: string, delta: Buffer) =>
    Buffer.concat([entryHead(7, delta.length), Buffer.from(base, 'hex'), deflateSync(delta)]);
  test.each([
    ['a wrong checksum', noSum],
    ['a flipped bit', flipped],
    ['a truncated pack', good.bytes.subarray(0, 60)],
    ['no pack', Buffer.alloc(0)],
    ['2^32-1 objects', pack([], 0xffff_ffff)],
    ['a size that lies', lie],
    ['a delta to nothing', pack([refDelta('1'.repeat(40), Buffer.from([2, 2, 0x90, 2]))])],
    ['a delta whose result lies', pack([entry(3, blob), refDelta(blobOid, Buffer.from([2, 100, 0x90, 2]))])],
    ['bytes behind the end', Buffer.concat([good.bytes, Buffer.alloc(5000, 'x')])],
    ['more bytes than allowed', Buffer.concat([good.bytes, Buffer.alloc(4_000_000)])],
    ['a folder of zeros as a tree', pack([entry(2, Buffer.alloc(20 << 20))])],
  ])(
    'H49 %s',
    async (_what, bytes) => {
      const before = await refs();
      const { text } = await push('refs/heads/bad', good.oid, bytes);
      expect(text).toMatch(/unpack (?!ok)|ng refs\/heads\/bad/);
      expect(text).not.toContain('ok refs/heads/bad');
      expect(await refs()).toEqual(before);
    },
    60_000,
  );

  const missing = commitOf('2'.repeat(40));
  const orphan = commitOf(oidOf(2, line('100644', 'a', blobOid)), `parent ${'3'.repeat(40)}\n`);
  const trees: [string, Buffer][] = [
    ['.git', line('100644', '.git', blobOid)],
    ['.GIT', line('100644', '.GIT', blobOid)],
    ['git~1', line('100644', 'git~1', blobOid)],
    ['a name with a slash', line('100644', 'a/b', blobOid)],
    ['..', line('100644', '..', blobOid)],
    ['an unsorted tree', Buffer.concat([line('100644', 'b', blobOid), line('100644', 'a', blobOid)])],
    ['a name twice', Buffer.concat([line('100644', 'a', blobOid), line('100644', 'a', blobOid)])],
    ['a mode with a zero in front', line('0100644', 'a', blobOid)],
    ['the null id', line('100644', 'a', NO_OID)],
    ['a blob that is not there', line('100644', 'a', '4'.repeat(40))],
    ['.gitmodules as a link', line('120000', '.gitmodules', blobOid)],
    ['a name of 300 bytes', line('100644', 'n'.repeat(300), blobOid)],
    [
      'a name that is not UTF-8',
      Buffer.concat([Buffer.from('100644 '), Buffer.from([0xff, 0xfe, 0]), Buffer.from(blobOid, 'hex')]),
    ],
  ];
  test.each([
    ['a commit without its tree', oidOf(1, missing), pack([entry(1, missing)])],
    [
      'a commit without its parent',
      oidOf(1, orphan),
      pack([entry(1, orphan), entry(2, line('100644', 'a', blobOid)), entry(3, blob)]),
    ],
    ...trees.map(([name, tree]): [string, string, Buffer] => {
      const { oid, bytes } = withTree(tree);
      return [name, oid, bytes];
    }),
  ] as [string, string, Buffer][])('H33 H50 H52 %s', async (_what, oid, bytes) => {
    const before = await refs();
    const { text } = await push('refs/heads/bad', oid, bytes);
    expect(text).not.toContain('ok refs/heads/bad');
    expect(text).toContain('ng refs/heads/bad');
    expect(await refs()).toEqual(before);
  });

  test.each([
    'refs/heads/-upload-pack=x',
    'refs/heads/a..b',
    'refs/heads/a.lock',
    'refs/heads/@{',
    'refs/heads/refs/heads/x',
    `refs/heads/${'a'.repeat(40)}`,
    'refs/pr/7',
    'refs/pr/x',
    'refs/convert/parquet',
    'refs/hidden/x',
    'HEAD',
    'refs/heads/main/below',
  ])('H26 H39 H40 the ref %s', async (ref) => {
    const before = await refs();
    expect((await push(ref, good.oid, good.bytes)).text).toContain(`ng ${ref} `);
    expect(await refs()).toEqual(before);
  });

  test('H53 the default branch stays, a stale old value is told to fetch first, atomic is all or none', async () => {
    const head = await headOf('one');
    expect((await push('refs/heads/main', NO_OID, Buffer.alloc(0), head)).text).toMatch(
      /ng .*default branch/,
    );
    expect((await push('refs/heads/main', good.oid, good.bytes, '5'.repeat(40))).text).toMatch(
      /ng .*fetch first/,
    );
    const before = await refs();
    const lines = [
      pkt(`${NO_OID} ${good.oid} refs/heads/fine\0report-status atomic`),
      pkt(`${'5'.repeat(40)} ${good.oid} refs/heads/main`),
      '0000',
    ];
    const body = Buffer.concat([Buffer.from(lines.join('')), good.bytes]);
    const { text } = await post('alice/one.git/git-receive-pack', body);
    expect(text).toMatch(/ng refs\/heads\/fine .*ng refs\/heads\/main/s);
    expect(await refs()).toEqual(before);
  });
});

test('a push that arrives twice, as libcurl sends it when its connection dies unanswered, is told twice that it is there', async () => {
  const { bytes, oid } = withTree(line('100644', 'twice', blobOid));
  const create = () => push('refs/heads/twice', oid, bytes);
  expect((await create()).text).toContain('ok refs/heads/twice');
  expect((await create()).text).toContain('ok refs/heads/twice');
  expect(await refs()).toContainEqual({ name: 'refs/heads/twice', oid });
  const nothing = Buffer.alloc(0);
  const remove = () => push('refs/heads/twice', NO_OID, nothing, oid, 'report-status delete-refs');
  expect((await remove()).text).toContain('ok refs/heads/twice');
  expect((await remove()).text).toContain('ok refs/heads/twice');
});

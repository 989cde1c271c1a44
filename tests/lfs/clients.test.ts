import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createRepo, downloadFile, uploadFiles } from '@huggingface/hub';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noise, sha256Of, writeFiles } from '#tests/clients/files.ts';
import { hfOk } from '#tests/clients/python.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';

const run = promisify(execFile);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

let hub: Hub;
let dir: string;
/** Large enough for two parts. */
const large = noise(70);

beforeAll(async () => {
  hub = await startHub({ env: { LOG_LEVEL: 'debug' } });
  dir = await mkdtemp(join(tmpdir(), 'larder-lfs-clients-'));
});
afterAll(async () => {
  await hub?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

/** How often the hub answered an operation so far. */
const answered = (operation: string) => hub.logs().split(`"operation":"${operation}"`).length - 1;

describe.each(['current', 'old'] as const)('huggingface_hub (%s) without Xet', (client) => {
  it('uploads a file above the threshold in parts and downloads it intact', async () => {
    const from = join(dir, `from-${client}`);
    await writeFiles(from, { 'model.safetensors': large, 'small.bin': 'small' });
    const options = {
      endpoint: hub.url,
      token: hub.adminToken,
      home: join(dir, `home-${client}`),
      client,
      env: { HF_HUB_DISABLE_XET: '1' },
    };
    await hfOk(['upload', `admin/parts-${client}`, from], options);
    const to = join(dir, `to-${client}`);
    await hfOk(['download', `admin/parts-${client}`, '--local-dir', to], options);
    expect(await sha256Of(join(to, 'model.safetensors'))).toBe(sha256(large));
    expect(await readFile(join(to, 'small.bin'), 'utf8')).toBe('small');
  });
});

describe('@huggingface/hub', () => {
  it('uploads a file above the threshold in parts and downloads it intact', async () => {
    const access = { hubUrl: hub.url, accessToken: hub.adminToken };
    const repo = 'admin/parts-js';
    await createRepo({ ...access, repo });
    const content = new Blob([new Uint8Array(large)]);
    await uploadFiles({ ...access, repo, files: [{ path: 'model.safetensors', content }] });
    const blob = await downloadFile({ ...access, repo, path: 'model.safetensors', xet: false });
    expect(sha256(new Uint8Array((await blob?.arrayBuffer()) ?? new ArrayBuffer(0)))).toBe(sha256(large));
  });
});

describe('git-lfs', () => {
  let work: string;
  const git = async (...args: string[]) =>
    (await run('git', args, { cwd: work, env: { ...process.env, GIT_TERMINAL_PROMPT: '0' } })).stdout;

  beforeAll(async () => {
    const access = { hubUrl: hub.url, accessToken: hub.adminToken };
    await createRepo({ ...access, repo: 'admin/by-git-lfs' });
    work = join(dir, 'work');
    await mkdir(work);
    await git('init', '-q');
    await git('lfs', 'install', '--local', '--skip-smudge');
    const address = new URL(`${hub.url}/admin/by-git-lfs.git`);
    address.username = 'anyone';
    address.password = hub.adminToken;
    await git('remote', 'add', 'origin', address.toString());
    await git('config', 'user.email', 'test@example.org');
    await git('config', 'user.name', 'test');
    await git('lfs', 'track', '*.bin');
  });

  it('pushes and pulls objects of any size with its own basic transfer', async () => {
    const files = { 'large.bin': large, 'small.bin': noise(1) };
    await writeFiles(work, files);
    await git('add', '.');
    await git('commit', '-q', '-m', 'files');
    const oids = Object.values(files).map((bytes) => sha256(bytes));
    await git('lfs', 'push', '--object-id', 'origin', ...oids);
    await rm(join(work, '.git/lfs/objects'), { recursive: true });
    await git('lfs', 'fetch', 'origin');
    await rm(join(work, 'large.bin'));
    await git('lfs', 'checkout');
    await git('checkout', '--', 'large.bin');
    await git('lfs', 'checkout', 'large.bin');
    expect(await sha256Of(join(work, 'large.bin'))).toBe(sha256(large));
    for (const oid of oids)
      expect(await sha256Of(join(work, '.git/lfs/objects', oid.slice(0, 2), oid.slice(2, 4), oid))).toBe(oid);
  });

  it('reads what came through Xet', async () => {
    const from = join(dir, 'xet');
    const bytes = noise(20);
    await writeFiles(from, { 'xet.bin': bytes });
    const options = { endpoint: hub.url, token: hub.adminToken, home: join(dir, 'home-xet') };
    await hfOk(['upload', 'admin/by-git-lfs', from], options);
    const answer = await fetch(`${hub.url}/api/models/admin/by-git-lfs/tree/main`, {
      headers: { authorization: `Bearer ${hub.adminToken}` },
    });
    const listing = (await answer.json()) as { path: string; xetHash?: string }[];
    expect(listing.find((entry) => entry.path === 'xet.bin')?.xetHash).toMatch(/^[0-9a-f]{64}$/);
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(bytes)}\nsize ${bytes.length}\n`;
    await writeFile(join(work, 'xet.bin'), pointer);
    await git('add', 'xet.bin');
    await git('commit', '-q', '-m', 'pointer');
    await git('lfs', 'pull', 'origin', '--include', 'xet.bin');
    expect(await sha256Of(join(work, 'xet.bin'))).toBe(sha256(bytes));
  });

  it('is told why when the hub refuses the token', async () => {
    const address = new URL(`${hub.url}/admin/by-git-lfs.git`);
    address.username = 'anyone';
    address.password = `hf_${'x'.repeat(36)}`;
    await git('remote', 'add', 'wrong', address.toString());
    await writeFile(join(work, 'other.bin'), noise(1));
    await git('add', '.');
    await git('commit', '-q', '-m', 'other');
    const oid = await sha256Of(join(work, 'other.bin'));
    await expect(git('lfs', 'push', '--object-id', 'wrong', oid)).rejects.toThrow(
      /[Aa]uth|[Cc]redentials|401/,
    );
  });
});

it('multipart was used by the clients that offer it', () => {
  expect(answered('lfs.putPart')).toBeGreaterThanOrEqual(6);
  expect(answered('lfs.complete')).toBeGreaterThanOrEqual(3);
});

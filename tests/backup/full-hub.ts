import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { expect } from 'vitest';
import { CARD, hashesOf, writeFiles } from '../clients/files.ts';
import { hfOk } from '../clients/python.ts';
import { PROJECT } from '../support/child.ts';
import type { Hub } from '../support/hub.ts';

export interface ProgramRun {
  status: number | null;
  output: string;
}

/** Runs one of our programs over the hub's database and store. */
export function runProgram(
  hub: Pick<Hub, 'databaseUrl' | 'dataDir'>,
  program: 'check' | 'backup' | 'restore',
  args: readonly string[],
  env: Record<string, string> = {},
): ProgramRun {
  const { status, stdout, stderr } = spawnSync(process.execPath, [`workers/${program}.ts`, ...args], {
    cwd: PROJECT,
    env: {
      ...process.env,
      DATABASE_URL: hub.databaseUrl,
      LARDER_DATA: hub.dataDir,
      LOG_LEVEL: 'error',
      ...env,
    },
    encoding: 'utf8',
    timeout: 90_000,
  });
  return { status, output: stdout + stderr };
}

/** Runs it and expects status 0. */
export function runOk(...args: Parameters<typeof runProgram>): string {
  const { status, output } = runProgram(...args);
  expect(status, output).toBe(0);
  return output;
}

/** A request with the administrator's token; throws with the answer when it is refused. */
async function call(hub: Hub, method: string, path: string, body?: unknown): Promise<unknown> {
  const headers = { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' };
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const answer = await fetch(hub.url + path, init);
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === '' ? null : JSON.parse(text);
}

/** Uploads bytes by the LFS batch as git-lfs does (a whole-file object), and commits them at `path`. */
export async function commitLfs(hub: Hub, repo: string, path: string, bytes: Buffer): Promise<string> {
  const oid = createHash('sha256').update(bytes).digest('hex');
  await sendLfs(hub, repo, bytes);
  const lines = [
    { key: 'header', value: { summary: `Add ${path}` } },
    { key: 'lfsFile', value: { path, algo: 'sha256', oid, size: bytes.length } },
  ];
  const answer = await fetch(`${hub.url}/api/models/${repo}/commit/main`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/x-ndjson' },
    body: lines.map((line) => JSON.stringify(line)).join('\n'),
  });
  if (!answer.ok) throw new Error(`commit ${path}: ${answer.status} ${await answer.text()}`);
  return oid;
}

/** Uploads bytes by the LFS batch; does nothing when the repo holds them. Returns whether they were sent. */
async function sendLfs(hub: Hub, repo: string, bytes: Buffer): Promise<boolean> {
  const oid = createHash('sha256').update(bytes).digest('hex');
  const type = 'application/vnd.git-lfs+json';
  const batch = await fetch(`${hub.url}/${repo}.git/info/lfs/objects/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': type, accept: type },
    body: JSON.stringify({
      operation: 'upload',
      transfers: ['basic'],
      objects: [{ oid, size: bytes.length }],
    }),
  });
  const answer = (await batch.json()) as {
    objects: { actions?: { upload?: { href: string; header?: Record<string, string> } } }[];
  };
  const action = answer.objects[0]?.actions?.upload;
  if (action === undefined) return false;
  const put = await fetch(action.href, {
    method: 'PUT',
    headers: action.header ?? {},
    body: new Uint8Array(bytes),
  });
  if (!put.ok) throw new Error(`put: ${put.status} ${await put.text()}`);
  return true;
}

/** What was put into a hub, to be compared with what comes out of another. */
export interface Stocked {
  readonly files: Record<string, string>;
  readonly bobToken: string;
}

/** A repo with small, Xet and whole-file LFS content, a pull request with a comment, a tag, another user with a token. */
export async function stock(hub: Hub, dir: string, megabytes = 6): Promise<Stocked> {
  const client = { endpoint: hub.url, token: hub.adminToken, home: join(dir, 'home') };
  const folder = join(dir, 'content');
  await mkdir(folder, { recursive: true });
  await writeFiles(folder, {
    'README.md': CARD,
    'config.json': '{"model_type": "llama"}',
    'weights/model.safetensors.bin': randomBytes(megabytes * 1_000_000),
  });
  await hfOk(['upload', 'admin/model', folder], client);
  const lfs = randomBytes(300_000);
  await commitLfs(hub, 'admin/model', 'lfs/whole.bin', lfs);
  await mkdir(join(folder, 'lfs'), { recursive: true });
  await writeFile(join(folder, 'lfs', 'whole.bin'), lfs);
  const proposal = { summary: 'Propose', files: [{ path: 'more.txt', content: 'more', encoding: 'utf-8' }] };
  await call(hub, 'POST', '/api/models/admin/model/commit/main?create_pr=1', proposal);
  await call(hub, 'POST', '/api/models/admin/model/discussions/1/comment', { comment: 'Looks good' });
  await call(hub, 'POST', '/api/models/admin/model/tag/main', { tag: 'v1', message: 'first' });
  return { files: await hashesOf(folder), bobToken: hub.adminToken };
}

/** Everything that `stock` put in comes out: by hf, by git, and through the API. */
export async function expectStocked(hub: Hub, dir: string, { files }: Stocked): Promise<void> {
  const target = join(dir, `out-${randomBytes(4).toString('hex')}`);
  const client = { endpoint: hub.url, token: hub.adminToken, home: join(target, 'home') };
  await hfOk(['download', 'admin/model', '--local-dir', join(target, 'hf')], client);
  const { '.gitattributes': _, ...got } = await hashesOf(join(target, 'hf'));
  expect(got).toEqual(files);
  const url = hub.url.replace('://', `://admin:${hub.adminToken}@`);
  const git = spawnSync('git', ['clone', '-q', `${url}/admin/model.git`, join(target, 'git')], {
    env: { ...process.env, GIT_TERMINAL_PROMPT: '0', GIT_LFS_SKIP_SMUDGE: '1', HOME: target },
    encoding: 'utf8',
  });
  expect(git.status, git.stderr).toBe(0);
  expect(await call(hub, 'GET', '/api/models/admin/model/discussions/1')).toMatchObject({
    title: 'Propose',
    status: 'open',
    events: expect.arrayContaining([expect.objectContaining({ type: 'comment' })]),
  });
  const refs = (await call(hub, 'GET', '/api/models/admin/model/refs')) as { tags: { name: string }[] };
  expect(refs.tags.map((tag) => tag.name)).toEqual(['v1']);
  await rm(target, { recursive: true, force: true });
}

/** Nothing of it is left: the database is a new, empty one of the same name. */
export async function destroyDatabase(databaseUrl: string): Promise<void> {
  const url = new URL(databaseUrl);
  const name = url.pathname.slice(1);
  const admin = new pg.Client({ connectionString: process.env.LARDER_TEST_POSTGRES });
  await admin.connect();
  await admin.query(`DROP DATABASE "${name}" WITH (FORCE)`);
  await admin.query(`CREATE DATABASE "${name}" TEMPLATE template0`);
  await admin.end();
}

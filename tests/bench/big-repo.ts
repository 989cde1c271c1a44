import { createDb, type Db, transaction } from '#lib/base/db.ts';
import { bytesOf, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import { type CommitContent, encodeCommit } from '#lib/repos/git/commit.ts';
import { insertObjects } from '#lib/repos/git/db.ts';
import { formatPointer, parsePointer } from '#lib/repos/git/lfs-pointer.ts';
import { type EncodedObject, encodeObject, KIND } from '#lib/repos/git/objects.ts';
import { encodeTree, MODE } from '#lib/repos/git/tree.ts';
import { type CommitToIndex, indexCommits } from '#lib/repos/index-commits.ts';
import { indexPaths } from '#lib/repos/index-paths.ts';
import { type Hub, startHub } from '#tests/support/hub.ts';
import type { Figure } from './main.ts';

const FOLDERS = 1000;
const FILES = 100;
const COMMITS = 10_000;
const ROUNDS = 15;
const COLD_ROUNDS = 3;

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const folderName = (n: number) => `d${String(n).padStart(4, '0')}`;
const fileName = (n: number) => `f${String(n).padStart(3, '0')}.txt`;

/** A large file that every commit has: what it takes to delete it for good. */
const LARGE = { sha256: 'ab'.repeat(32) as Sha256, sizeBytes: 1 };

/** The same numbers every time, all over the folders. */
function* pseudoRandom(): Generator<number, never> {
  for (let x = 1; ; ) yield (x = (x * 48_271) % 2_147_483_647);
}

/** A repo being written: the present trees, and what is not in the database yet. */
class Writer {
  readonly #db: Db;
  readonly #repoId: RepoId;
  readonly #folders: Buffer[] = [];
  readonly #folderOids: Oid[] = [];
  #root: Buffer = Buffer.alloc(0);
  #objects: EncodedObject[] = [];
  #commits: CommitToIndex[] = [];
  #head: Oid | null = null;

  constructor(db: Db, repoId: RepoId) {
    this.#db = db;
    this.#repoId = repoId;
  }

  async #keep(kind: EncodedObject['kind'], content: Buffer): Promise<Oid> {
    const object = await encodeObject(kind, content, parsePointer(content) ?? undefined);
    this.#objects.push(object);
    return object.oid;
  }

  async #commit(message: string, atSeconds: number): Promise<void> {
    const by = { name: 'bench', email: 'bench@localhost', atSeconds };
    const tree = await this.#keep(KIND.tree, this.#root);
    const parents = this.#head === null ? [] : [this.#head];
    const commit: CommitContent = { tree, parents, author: by, committer: by, message };
    this.#head = await this.#keep(KIND.commit, encodeCommit(commit));
    this.#commits.push({ oid: this.#head, commit, userId: null });
    if (this.#commits.length % 500 === 0) await this.#flush();
  }

  async #flush(): Promise<void> {
    await insertObjects(this.#db, this.#repoId, [...new Map(this.#objects.map((o) => [o.oid, o])).values()]);
    await indexCommits(this.#db, this.#repoId, this.#commits);
    this.#objects = [];
    this.#commits = [];
  }

  /** 100,000 files in 1,000 folders, then a change of one file in each of 9,999 commits. Returns the head. */
  async write(): Promise<Oid> {
    for (let d = 0; d < FOLDERS; d++) {
      const lines: { mode: number; name: string; oid: Oid }[] = [];
      for (let f = 0; f < FILES; f++) {
        const isLarge = d === 0 && f === 0;
        const content = isLarge ? formatPointer(LARGE) : Buffer.from(`${d} ${f}`);
        const oid = await this.#keep(KIND.blob, content);
        lines.push({ mode: MODE.file, name: fileName(f), oid });
      }
      this.#folders.push(encodeTree(lines));
      this.#folderOids.push(await this.#keep(KIND.tree, this.#folders[d] as Buffer));
    }
    const folders = this.#folderOids.map((oid, d) => ({ mode: MODE.directory, name: folderName(d), oid }));
    this.#root = encodeTree(folders);
    await this.#commit('all files', 1_700_000_000);
    const numbers = pseudoRandom();
    const folderBytes = this.#root.length / FOLDERS;
    for (let c = 1; c < COMMITS; c++) {
      const [d, f] = [numbers.next().value % FOLDERS, numbers.next().value % FILES];
      const blob = await this.#keep(KIND.blob, Buffer.from(`change ${c}`));
      const folder = Buffer.from(this.#folders[d] as Buffer);
      bytesOf(blob).copy(folder, (folder.length / FILES) * (f + 1) - 20);
      this.#folders[d] = folder;
      this.#root = Buffer.from(this.#root);
      bytesOf(await this.#keep(KIND.tree, folder)).copy(this.#root, folderBytes * (d + 1) - 20);
      await this.#commit(`change ${c}`, 1_700_000_000 + c);
    }
    await this.#flush();
    return this.#head as Oid;
  }
}

type Ask = (method: string, path: string, body?: string) => Promise<number>;

/** Asks the hub and returns the milliseconds until the whole answer was there. */
function asker(hub: Hub): Ask {
  return async (method, path, body) => {
    const started = performance.now();
    const response = await fetch(hub.url + path, {
      method,
      headers: { authorization: `Bearer ${hub.adminToken}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return performance.now() - started;
  };
}

async function makeBigRepo(hub: Hub): Promise<{ writeSeconds: number; indexSeconds: number }> {
  const db = createDb({ url: hub.databaseUrl, maxConnections: 4, applicationName: 'bench' });
  try {
    const { rows } = await db.query<{ id: RepoId }>(`SELECT id FROM repo WHERE name = 'big'`);
    const repoId = rows[0]?.id as RepoId;
    const started = performance.now();
    const head = await new Writer(db, repoId).write();
    await transaction(db, (tx) =>
      tx.query(`UPDATE ref SET oid = $2 WHERE repo_id = $1 AND name = 'refs/heads/main'`, [
        repoId,
        bytesOf(head),
      ]),
    );
    await db.query(
      `WITH o AS (INSERT INTO stored_object (key, size_bytes, sha256, state) VALUES ('bench', 1, $2, 'live') RETURNING id)
       INSERT INTO repo_file (repo_id, sha256, size_bytes, object_id, created_by)
       SELECT $1, $2, 1, o.id, created_by FROM o, repo WHERE repo.id = $1`,
      [repoId, bytesOf(LARGE.sha256)],
    );
    await db.query('ANALYZE');
    const written = performance.now();
    await indexPaths({ db }, repoId, new AbortController().signal);
    return { writeSeconds: (written - started) / 1000, indexSeconds: (performance.now() - written) / 1000 };
  } finally {
    await db.end();
  }
}

/** The same request to the big and the small repo in turns, warm; the ratio of the medians. */
async function compare(
  ask: Ask,
  name: string,
  request: (repo: string, i: number) => Parameters<Ask>,
): Promise<Figure> {
  const [big, small]: [number[], number[]] = [[], []];
  for (let i = -2; i < ROUNDS; i++) {
    const [b, s] = [await ask(...request('big', i)), await ask(...request('small', i))];
    if (i >= 0) {
      big.push(b);
      small.push(s);
    }
  }
  const detail = `${median(big).toFixed(1)} ms against ${median(small).toFixed(1)} ms`;
  return { name, value: median(big) / median(small), unit: '×', limit: 3, good: 'at most', detail };
}

const commitBody = (path: string, i: number) =>
  JSON.stringify({
    summary: `c${i}`,
    files: [{ path, content: `v${i} ${performance.now()}`, encoding: 'utf-8' }],
  });

/** A repo of 100,000 files and 10,000 commits against one of a few files; and last commits of a page, cold. */
export async function benchBigRepo(): Promise<Figure[]> {
  const hub = await startHub({ env: { LOG_LEVEL: 'warn' } });
  try {
    const ask = asker(hub);
    for (const name of ['big', 'small']) await ask('POST', '/api/repos/create', JSON.stringify({ name }));
    for (const folder of [folderName(1), folderName(500)])
      await ask('POST', '/api/models/admin/small/commit/main', commitBody(`${folder}/${fileName(50)}`, 0));
    const { writeSeconds, indexSeconds } = await makeBigRepo(hub);
    const figures: Figure[] = [];
    for (const [what, path] of [
      ['root', ''],
      ['folder', `/${folderName(500)}`],
    ] as const) {
      const times: number[] = [];
      for (let round = 0; round < COLD_ROUNDS; round++) {
        await hub.kill();
        await hub.restart();
        await ask('GET', '/api/whoami-v2'); // the process has a connection and knows the token
        times.push(await ask('GET', `/api/models/admin/big/tree/main${path}?expand=true&limit=50`));
      }
      const detail = `${times.map((ms) => ms.toFixed(0)).join(', ')} ms; ${COMMITS} commits written in ${writeSeconds.toFixed(0)} s, indexed in ${indexSeconds.toFixed(0)} s`;
      figures.push({
        name: `last commits of a page, ${what}, cold`,
        value: median(times),
        unit: 'ms',
        limit: 300,
        good: 'at most',
        detail,
      });
    }
    figures.push(
      await compare(ask, 'first tree page, big / small repo', (repo) => [
        'GET',
        `/api/models/admin/${repo}/tree/main?limit=50`,
      ]),
      await compare(ask, 'HEAD resolve, big / small repo', (repo) => [
        'HEAD',
        `/admin/${repo}/resolve/main/${folderName(500)}/${fileName(50)}`,
      ]),
      await compare(ask, 'one-file commit, big / small repo', (repo, i) => [
        'POST',
        `/api/models/admin/${repo}/commit/main`,
        commitBody(`${folderName(500)}/${fileName(50)}`, i),
      ]),
    );
    const ms = await ask('DELETE', `/api/models/admin/big/lfs-files/${LARGE.sha256}?rewriteHistory=true`);
    figures.push({
      name: `delete a file from ${COMMITS} commits`,
      value: ms / 1000,
      unit: 's',
      limit: 120,
      good: 'at most',
      detail: `${FOLDERS * FILES} files`,
    });
    return figures;
  } finally {
    await hub.stop();
  }
}

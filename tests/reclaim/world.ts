import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { newId, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { checkFiles } from '#lib/repos/check/check-files.ts';
import { checkRepos } from '#lib/repos/check/check-repos.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { putBasic } from '#lib/repos/files/lfs/put-basic.ts';
import { openFile } from '#lib/repos/files/open-file.ts';
import { sweepStore } from '#lib/repos/files/sweep-store.ts';
import { appendBytes } from '#lib/repos/files/tus/append-bytes.ts';
import { cancelUpload } from '#lib/repos/files/tus/cancel-upload.ts';
import { createUpload } from '#lib/repos/files/tus/create-upload.ts';
import { requireOwnUpload } from '#lib/repos/files/tus/find-upload.ts';
import { finishUpload } from '#lib/repos/files/tus/finish-upload.ts';
import { sweepTusUploads } from '#lib/repos/files/tus/sweep-tus-uploads.ts';
import { domainOf } from '#lib/repos/files/xet/db.ts';
import { putShard } from '#lib/repos/files/xet/put-shard.ts';
import { putXorb } from '#lib/repos/files/xet/put-xorb.ts';
import { type ReclaimOutcome, type ReclaimSeams, reclaim } from '#lib/repos/reclaim/reclaim.ts';
import type { ReclaimItem, ReclaimOptions } from '#lib/repos/reclaim/types.ts';
import type { CommitOperation, Repo } from '#lib/repos/types.ts';
import { header, makeUser } from '#tests/repos/people.ts';
import { createTestApp, type TestApp } from '#tests/support/app.ts';
import { type BuiltTerm, type BuiltXorb, buildShard, contentOf } from '#tests/xet/build.ts';

const DAY = 24 * 3600_000;
/** A full part of a file that comes by tus and is not large. */
export const PART_BYTES = 16 * 2 ** 20;
export const sha256Of = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex') as Sha256;
export const inDays = (days: number) => new Date(Date.now() + days * DAY);

/** A hub's insides with one user, for tests of what is reclaimed. */
export interface World {
  readonly t: TestApp;
  readonly env: Readonly<Record<string, string>>;
  readonly alice: UserPrincipal;
  readonly ctx: Ctx;
  repo(name: string): Promise<Repo>;
  /** Uploads as one object; returns the file's id. */
  basic(repo: Repo, bytes: Buffer): Promise<Sha256>;
  /** Uploads by tus: all of it, or its first part and then gives it up or leaves it. */
  inParts(repo: Repo, bytes: Buffer, end: 'done' | 'cancelled' | 'left'): Promise<void>;
  /** Sweeps what uploads left behind, as if it were that late. */
  sweepUploads(at: Date): Promise<void>;
  /** Multipart uploads that are open at the store. */
  begun(): Promise<number>;
  /** Uploads xorbs and a shard, as a Xet client does; returns the ids of the files. */
  xet(repo: Repo, xorbs: readonly BuiltXorb[], files: readonly (readonly BuiltTerm[])[]): Promise<Sha256[]>;
  xorb(repo: Repo, xorb: BuiltXorb): Promise<void>;
  shard(repo: Repo, xorbs: readonly BuiltXorb[], files: readonly (readonly BuiltTerm[])[]): Promise<void>;
  commit(repo: Repo, ...operations: CommitOperation[]): Promise<Oid>;
  /** Bytes as a download gives them, or null when the repo does not hold the file. */
  read(repoId: RepoId, sha256: Sha256): Promise<Buffer | null>;
  /** Whether a download from the repo gives exactly these bytes. */
  holds(repoId: RepoId, bytes: Buffer): Promise<boolean>;
  gc(options?: Partial<ReclaimOptions>, seams?: Partial<ReclaimSeams>): Promise<ReclaimOutcome>;
  /** What a dry run lists. */
  dry(options?: Partial<ReclaimOptions>): Promise<{ items: ReclaimItem[]; outcome: ReclaimOutcome }>;
  /** Keys in the store: of files and xorbs, or of this kind. */
  keys(...kinds: string[]): Promise<string[]>;
  /** What `check` finds. */
  problems(): Promise<string[]>;
  count(table: string, where?: string): Promise<number>;
  close(): Promise<void>;
}

export const lfs = (path: string, sha256: Sha256): CommitOperation => ({
  kind: 'lfsFile',
  path,
  sha256,
  sizeBytes: null,
});

export const random = (bytes: number) => randomBytes(bytes);

export async function createWorld(env: Record<string, string> = {}): Promise<World> {
  const t = await createTestApp({ env });
  const alice = await makeUser(t.app.db, 'alice');
  const ctx = t.ctxFor(alice);
  const grantOf = async (repo: Repo) => ({
    repoId: repo.id,
    ...(await domainOf(t.app.db, repo.namespaceId).then(({ id, epoch }) => ({ domainId: id, epoch }))),
    scope: 'write' as const,
    who: { userId: alice.id } as never,
  });
  const none: ReclaimSeams = { pinned: async () => [] };
  const world: World = {
    t,
    env,
    alice,
    ctx,
    repo: (name) => createRepo(ctx, { type: 'model', namespace: 'alice', name }),
    async basic(repo, bytes) {
      const sha256 = sha256Of(bytes);
      const grant = { repoId: repo.id, userId: alice.id, sha256, sizeBytes: bytes.length };
      await putBasic(ctx, grant, Readable.from([bytes]));
      return sha256;
    },
    async inParts(repo, bytes, end) {
      const ref = { type: 'model', namespace: 'alice', name: repo.name } as const;
      const id = newId();
      const file = { path: 'f', revision: 'main', createPr: false, metadata: '' };
      await createUpload(ctx, ref, { ...file, id, sizeBytes: bytes.length, sha256: sha256Of(bytes) });
      const upload = await requireOwnUpload(ctx, ref, id);
      const sent = end === 'done' ? bytes : bytes.subarray(0, PART_BYTES);
      await appendBytes(ctx, ref, upload, 0, { stream: Readable.from([sent]), lengthBytes: sent.length });
      if (end === 'done') await finishUpload(ctx, ref, upload);
      if (end === 'cancelled') await cancelUpload(ctx, ref, id);
    },
    async sweepUploads(at) {
      const later = { ...t.app, clock: { ...t.app.clock, now: () => at.getTime() } };
      await sweepTusUploads(later);
      await sweepStore(later);
    },
    async begun() {
      let count = 0;
      for await (const _ of t.app.store.listMultipart()) count += 1;
      return count;
    },
    async xorb(repo, { hash, body }) {
      const upload = { hash, body: Readable.from([body]), sizeBytes: body.length };
      await putXorb(t.app, await grantOf(repo), upload, ctx.signal);
    },
    async shard(repo, xorbs, files) {
      await putShard(t.app, await grantOf(repo), buildShard(files, xorbs), ctx.signal);
    },
    async xet(repo, xorbs, files) {
      for (const one of xorbs) await world.xorb(repo, one);
      await world.shard(repo, xorbs, files);
      return files.map((terms) => sha256Of(contentOf(terms)));
    },
    async commit(repo, ...operations) {
      const request = { revision: 'main', header: header('c'), operations };
      return (await createCommit(ctx, repo, request)).commitOid;
    },
    async read(repoId, sha256) {
      const found = (await findFiles(t.app.db, repoId, [sha256])).get(sha256);
      if (found === undefined) return null;
      const parts: Buffer[] = [];
      for await (const part of await openFile(t.app, found)) parts.push(Buffer.from(part as Buffer));
      return Buffer.concat(parts);
    },
    async holds(repoId, bytes) {
      return (await world.read(repoId, sha256Of(bytes)))?.equals(bytes) === true;
    },
    gc: (options = {}, seams = {}) =>
      reclaim(t.app, { ...none, ...seams }, { cause: 'command', isDry: false, ...options }),
    async dry(options = {}) {
      const items: ReclaimItem[] = [];
      const seams = { onItem: (item: ReclaimItem) => void items.push(item) };
      return { outcome: await world.gc({ isDry: true, ...options }, seams), items };
    },
    async keys(...kinds) {
      const keys: string[] = [];
      for (const kind of kinds.length > 0 ? kinds : ['blob/', 'xorb/'])
        for await (const { key } of t.app.store.list(kind)) keys.push(key);
      return keys.sort();
    },
    async problems() {
      const found: string[] = [];
      for await (const problem of checkRepos(t.app, { repos: 0, objects: 0 })) found.push(String(problem));
      for await (const problem of checkFiles(t.app)) found.push(String(problem));
      return found;
    },
    async count(table, where = 'true') {
      const { rows } = await t.app.db.query<{ n: number }>(
        `SELECT count(*)::int4 AS n FROM ${table} WHERE ${where}`,
      );
      return rows[0]?.n ?? 0;
    },
    close: () => t.close(),
  };
  return world;
}

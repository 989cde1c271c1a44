import { type Queryable, type Tx, transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import { bytesOf, hexOf, type Oid, parseOid, parseSha256, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import { audit } from '#lib/identity/audit.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireAdmin } from './access.ts';
import type { RefRow } from './db.ts';
import { formatPointer } from './git/lfs-pointer.ts';
import { encodeObject, KIND } from './git/objects.ts';
import { auditSubject, moveRef } from './move-ref.ts';
import { followRewrite } from './pulls/follow-rewrite.ts';
import { HistoryRewriter } from './rewrite-history.ts';
import type { Repo, RepoRef } from './types.ts';

/** So often the refs may have moved meanwhile; then the rest is done while they are locked. */
const FREE_ATTEMPTS = 3;

async function selectAllRefs(db: Queryable, repoId: RepoId, lock: '' | 'FOR UPDATE'): Promise<RefRow[]> {
  const { rows } = await db.query<{ name: string; oid: Buffer }>(
    `SELECT name, oid FROM ref WHERE repo_id = $1 ORDER BY name ${lock}`,
    [repoId],
  );
  return rows.map((row) => ({ name: row.name, oid: hexOf<Oid>(row.oid) }));
}

async function selectPointers(db: Queryable, repoId: RepoId, files: readonly Sha256[]): Promise<Oid[]> {
  const { rows } = await db.query<{ oid: Buffer }>(
    'SELECT oid FROM git_object WHERE repo_id = $1 AND lfs_sha256 = ANY($2::bytea[])',
    [repoId, files.map(bytesOf)],
  );
  return rows.map((row) => hexOf<Oid>(row.oid));
}

/** The files that ids name: a SHA-256, or the oid of a pointer as the listing gives it. Throws not_found. */
async function namedFiles(db: Queryable, repoId: RepoId, ids: readonly string[]): Promise<Set<Sha256>> {
  const held = await db.query<{ sha256: Buffer; size_bytes: number }>(
    `SELECT sha256, size_bytes FROM repo_file WHERE repo_id = $1`,
    [repoId],
  );
  const byId = new Map<string, Sha256>();
  for (const row of held.rows) {
    const sha256 = hexOf<Sha256>(row.sha256);
    byId.set(sha256, sha256);
    const pointer = formatPointer({ sha256, sizeBytes: row.size_bytes });
    byId.set((await encodeObject(KIND.blob, pointer)).oid, sha256);
  }
  const oids = ids.flatMap((id) => parseOid(id) ?? []);
  const { rows } = await db.query<{ oid: Buffer; lfs_sha256: Buffer }>(
    `SELECT g.oid, g.lfs_sha256 FROM git_object g
     JOIN repo_file e ON e.repo_id = g.repo_id AND e.sha256 = g.lfs_sha256
     WHERE g.repo_id = $1 AND g.oid = ANY($2::bytea[])`,
    [repoId, oids.map(bytesOf)],
  );
  for (const row of rows) byId.set(hexOf<Oid>(row.oid), hexOf<Sha256>(row.lfs_sha256));
  const files = ids.map((id) => {
    const file = byId.get(id);
    if (file === undefined && parseOid(id) === undefined && parseSha256(id) === undefined)
      throw hubError('invalid_input', `${JSON.stringify(id.slice(0, 80))} is neither a fileOid nor a sha256`);
    if (file === undefined) throw hubError('not_found', `this repository holds no large file ${id}`);
    return file;
  });
  return new Set(files);
}

const isSame = (a: readonly RefRow[], b: readonly RefRow[]) =>
  a.length === b.length && a.every((ref, i) => ref.name === b[i]?.name && ref.oid === b[i]?.oid);

/** Moves every ref whose history changed and takes the edges, in the caller's transaction and under all locks. */
async function removeFrom(
  tx: Tx,
  ctx: Ctx,
  repo: Repo,
  change: {
    readonly refs: readonly RefRow[];
    readonly moved: ReadonlyMap<Oid, Oid>;
    readonly files: ReadonlySet<Sha256>;
    readonly rewriter: HistoryRewriter;
  },
): Promise<void> {
  const { refs, moved } = change;
  for (const { name, oid } of refs) {
    const newOid = moved.get(oid);
    if (newOid === undefined) continue;
    const move = { repo, ref: name, oldOid: oid, newOid, reason: 'rewrite' as const, isForced: true };
    if (!(await moveRef(tx, ctx, move))) throw new Error(`${name} moved while it was locked`);
  }
  if (moved.size > 0) await followRewrite(tx, repo.id, (oid) => change.rewriter.of(oid));
  await failpoint('rewrite.before-edges');
  const files = [...change.files];
  await tx.query('DELETE FROM repo_file WHERE repo_id = $1 AND sha256 = ANY($2::bytea[])', [
    repo.id,
    files.map(bytesOf),
  ]);
  const details = { files, refs: refs.filter(({ oid }) => moved.has(oid)).map(({ name }) => name) };
  await audit(tx, ctx, { action: 'repo.files.delete', subject: auditSubject(repo), details });
}

/**
 * Deletes large files (by SHA-256 or by the oid of a pointer) for good: no door of this repo gives them from the
 * moment it returns. With `rewriteHistory` the history of every ref (branches, tags, pull requests) is written anew
 * without them; commits before the first that held one keep their ids. Without it only files that no ref reaches may
 * go, because a ref must never name something that is missing. All refs and all edges change in one transaction;
 * what is pushed meanwhile is rewritten too, never lost. Other repos that hold the same bytes keep them; the bytes
 * themselves go with garbage collection. Throws repo_not_found, forbidden (also for a protected branch that would
 * have to move), not_found and invalid_input (ids), conflict_exists (still in use, without `rewriteHistory`).
 */
export async function deleteLfsFiles(
  ctx: Ctx,
  ref: RepoRef,
  ids: readonly string[],
  { rewriteHistory }: { readonly rewriteHistory: boolean },
): Promise<void> {
  const repo = await requireAdmin(ctx, ref);
  if (ids.length === 0) return;
  const files = await namedFiles(ctx.db, repo.id, ids);
  let pointers = new Set<Oid>();
  let rewriter = new HistoryRewriter(ctx.db, repo.id, pointers);
  for (let attempt = 0; ; attempt++) {
    const found = await selectPointers(ctx.db, repo.id, [...files]);
    if (found.length !== pointers.size) {
      pointers = new Set(found);
      rewriter = new HistoryRewriter(ctx.db, repo.id, pointers);
    }
    const before = await selectAllRefs(ctx.db, repo.id, '');
    const early = await rewriter.rewrite(before.map(({ oid }) => oid));
    await failpoint('rewrite.before-refs');
    const isDone = await transaction(ctx.db, async (tx) => {
      await selectAllRefs(tx, repo.id, 'FOR UPDATE');
      await tx.query('SELECT 1 FROM repo WHERE id = $1 FOR UPDATE', [repo.id]); // no ref is made meanwhile
      const refs = await selectAllRefs(tx, repo.id, '');
      const known = await selectPointers(tx, repo.id, [...files]);
      const isKnown = known.length === pointers.size;
      const isFresh = isKnown && isSame(refs, before);
      if (!isFresh && (attempt < FREE_ATTEMPTS || !isKnown)) return false;
      const moved = isFresh ? early : await rewriter.rewrite(refs.map(({ oid }) => oid));
      if (moved.size > 0 && !rewriteHistory)
        throw hubError(
          'conflict_exists',
          'These files are still named by the history of this repository: set rewriteHistory to take them out of it',
        );
      await removeFrom(tx, ctx, repo, { refs, moved, files, rewriter });
      return true;
    });
    if (isDone) break;
  }
  await failpoint('rewrite.after-tx');
}

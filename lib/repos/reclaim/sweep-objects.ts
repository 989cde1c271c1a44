import { type Tx, transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { type Dead, findDead } from './find-dead.ts';
import { markReachable, type Root } from './mark-reachable.ts';
import { readRoots } from './read-roots.ts';
import { before, type Run } from './types.ts';

const LOCKS_PER_QUERY = 5000;
const OBJECTS_PER_BATCH = 2000;
/** So often a repo may change under the sweep; then it is left to the next run. */
const ATTEMPTS = 4;

export interface Swept {
  objects: number;
  bytes: number;
}

/** Locks the repo against every move of a ref. False when it is deleted: then it is purged instead. */
async function lockRepo(tx: Tx, repoId: RepoId): Promise<boolean> {
  const { rows } = await tx.query(
    'SELECT 1 FROM repo WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE',
    [repoId],
  );
  return rows.length === 1;
}

/** Roots that came since the repo was looked at. */
async function newRoots(tx: Tx, run: Run, repoId: RepoId, dead: Dead): Promise<Root[]> {
  return (await readRoots(tx, run, repoId)).filter(
    ({ oid }) => !dead.roots.has(oid) && !dead.reachable.oids.has(oid),
  );
}

/** Locks rows without waiting; how many of them could be locked and are still old. */
async function lockObjects(tx: Tx, run: Run, repoId: RepoId, oids: readonly Buffer[]): Promise<number> {
  const { rowCount } = await tx.query(
    `SELECT 1 FROM git_object WHERE repo_id = $1 AND oid = ANY($2::bytea[]) AND touched_at <= $3
     ORDER BY oid FOR UPDATE SKIP LOCKED`,
    [repoId, oids, before(run, run.graceMs)],
  );
  return rowCount ?? 0;
}

/** Whether somebody is writing one of these commits again. */
async function areIndexedFree(tx: Tx, repoId: RepoId, oids: readonly Buffer[]): Promise<boolean> {
  const text = 'SELECT 1 FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])';
  const locked = await tx.query(`${text} ORDER BY oid FOR UPDATE SKIP LOCKED`, [repoId, oids]);
  const all = await tx.query(text, [repoId, oids]);
  return locked.rowCount === all.rowCount;
}

async function countSweep(tx: Tx, repoId: RepoId): Promise<void> {
  await tx.query('UPDATE repo SET git_sweeps = git_sweeps + 1 WHERE id = $1', [repoId]);
}

async function deleteObjects(tx: Tx, repoId: RepoId, oids: readonly Buffer[], swept: Swept): Promise<void> {
  const { rows } = await tx.query<{ count: number; bytes: number }>(
    `WITH gone AS (DELETE FROM git_object WHERE repo_id = $1 AND oid = ANY($2::bytea[]) RETURNING octet_length(data) AS bytes)
     SELECT count(*)::int4 AS count, coalesce(sum(bytes), 0)::bigint AS bytes FROM gone`,
    [repoId, oids],
  );
  swept.objects += rows[0]?.count ?? 0;
  swept.bytes += rows[0]?.bytes ?? 0;
}

/**
 * Takes all dead commits and tags of a repo in one transaction, or none of them: what is left of a history is then
 * always whole, so that a commit which can still be named has everything below it. False when a ref moved, or somebody
 * is just writing one of them: then one has to look again.
 */
async function takeHeads(run: Run, repoId: RepoId, dead: Dead, swept: Swept): Promise<boolean> {
  if (dead.heads.length === 0) return true;
  const taken: Swept = { objects: 0, bytes: 0 };
  const isDone = await transaction(run.app.db, async (tx) => {
    await tx.query('SET LOCAL statement_timeout = 0');
    if (!(await lockRepo(tx, repoId)) || (await newRoots(tx, run, repoId, dead)).length > 0) return false;
    for (let at = 0; at < dead.heads.length; at += LOCKS_PER_QUERY) {
      const oids = dead.heads.slice(at, LOCKS_PER_QUERY);
      if ((await lockObjects(tx, run, repoId, oids)) < oids.length) return false;
      if (!(await areIndexedFree(tx, repoId, oids))) return false;
    }
    for (let at = 0; at < dead.heads.length; at += LOCKS_PER_QUERY) {
      const oids = dead.heads.slice(at, LOCKS_PER_QUERY);
      await tx.query('DELETE FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])', [
        repoId,
        oids,
      ]);
      await deleteObjects(tx, repoId, oids, taken);
    }
    await countSweep(tx, repoId);
    await failpoint('reclaim.heads-taken');
    return true;
  });
  if (isDone) {
    swept.objects += taken.objects;
    swept.bytes += taken.bytes;
  }
  return isDone;
}

/** Takes a batch of folders and files, those that are still unreachable, old and not being written. False: look again. */
async function takeBatch(
  run: Run,
  repoId: RepoId,
  dead: Dead,
  oids: readonly Buffer[],
  swept: Swept,
): Promise<boolean> {
  for (;;) {
    const outcome = await transaction(run.app.db, async (tx) => {
      if (!(await lockRepo(tx, repoId))) return 'gone' as const;
      const fresh = await newRoots(tx, run, repoId, dead);
      if (fresh.length > 0) return fresh;
      const still = oids.filter((oid) => !dead.reachable.oids.has(oid));
      const { rows } = await tx.query<{ oid: Buffer }>(
        `SELECT oid FROM git_object WHERE repo_id = $1 AND oid = ANY($2::bytea[]) AND touched_at <= $3
         ORDER BY oid FOR UPDATE SKIP LOCKED`,
        [repoId, still, before(run, run.graceMs)],
      );
      if (rows.length === 0) return 'done' as const;
      await countSweep(tx, repoId);
      await deleteObjects(
        tx,
        repoId,
        rows.map(({ oid }) => oid),
        swept,
      );
      return 'done' as const;
    });
    if (outcome === 'gone') return false;
    if (outcome === 'done') return true;
    // refs have moved meanwhile: what they reach now is alive, also where it was written before we looked
    for (const { oid } of outcome) dead.roots.add(oid);
    await markReachable(run.app.db, repoId, outcome, dead.reachable);
  }
}

/** Rows of commits that are no more; what a running index-paths adds behind us goes the next time. */
async function takePaths(run: Run, repoId: RepoId): Promise<void> {
  await transaction(run.app.db, async (tx) => {
    await tx.query('SET LOCAL statement_timeout = 0');
    await tx.query(
      `DELETE FROM path_change p WHERE p.repo_id = $1
         AND NOT EXISTS (SELECT 1 FROM commit_index c WHERE c.repo_id = $1 AND c.oid = p.oid)`,
      [repoId],
    );
  });
}

/**
 * Deletes what nothing of a live repo reaches, in batches that each hold the repo's lock for milliseconds. Works on
 * what it finds itself and looks at the refs again under every lock, so it may run beside commits and pushes, twice at
 * once, and be killed anywhere. Returns false when the repo kept changing: the next run takes the rest. Throws
 * MissingObject when something reachable is missing.
 */
export async function sweepObjects(run: Run, repoId: RepoId, swept: Swept): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    run.signal.throwIfAborted();
    const dead = await findDead(run.app.db, run, repoId);
    await failpoint('reclaim.marked');
    if (!(await takeHeads(run, repoId, dead, swept))) continue;
    await failpoint('reclaim.between-batches');
    for (let at = 0; at < dead.rest.length; at += OBJECTS_PER_BATCH) {
      run.signal.throwIfAborted();
      if (!(await takeBatch(run, repoId, dead, dead.rest.slice(at, OBJECTS_PER_BATCH), swept))) return false;
      await failpoint('reclaim.between-batches');
    }
    if (dead.heads.length > 0) await takePaths(run, repoId);
    return true;
  }
  return false;
}

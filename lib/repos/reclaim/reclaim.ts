import type { Tx } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { BRAKE_FLOOR, type BrakeFloor, brakeReason } from './brake.ts';
import { condemnXorbs, dropPins, releaseCondemned } from './condemn-xorbs.ts';
import { deleteBytes } from './delete-bytes.ts';
import { deleteDoomedFiles, deleteEmptyLogs, doomFiles, doomObjects, releaseDoomedObjects } from './doom.ts';
import { takeOrphans } from './find-orphans.ts';
import { MissingObject } from './mark-reachable.ts';
import { plan, planItems, planTotals } from './plan.ts';
import { listUnpurged, purgeRepo } from './purge-repo.ts';
import { readFigures } from './read-figures.ts';
import { repack } from './repack.ts';
import { endLostRuns, endRun, insertRun, notePhase, type RunState } from './runs-db.ts';
import { sweepEdges } from './sweep-edges.ts';
import { sweepObjects } from './sweep-objects.ts';
import type { PinnedCommits, ReclaimItem, ReclaimOptions, ReclaimResult, Run } from './types.ts';

const HOUR_MS = 3600_000;
/** A link to a range of a xorb lives for an hour; a day more for clients that hold one. */
const LINK_MS = 25 * HOUR_MS;
/** What nobody holds any more waits a day, so that a fault in what decides can still be seen. */
const DOOM_MS = 24 * HOUR_MS;
const LOCK_NOT_AVAILABLE = '55P03';

export interface ReclaimOutcome {
  readonly id: number;
  readonly state: RunState;
  readonly result: ReclaimResult | null;
  readonly message: string;
}

/** How a run is made; the defaults are the product's. */
export interface ReclaimSeams {
  readonly pinned: PinnedCommits;
  /** Is given every single thing that can go, as planned. */
  readonly onItem?: (item: ReclaimItem) => void | Promise<void>;
  readonly brakeFloor?: BrakeFloor;
}

async function prepareRun(
  app: App,
  options: ReclaimOptions,
  pinned: PinnedCommits,
  id: number,
): Promise<Run & { readonly held: { byBackup: boolean } }> {
  const { rows } = await app.db.query<{ now: Date }>('SELECT now() AS now');
  const now = rows[0]?.now as Date;
  const at = options.at ?? now;
  const fullGraceMs = app.config.LARDER_GC_GRACE_HOURS * HOUR_MS;
  const graceMs = options.isNow ? 0 : fullGraceMs;
  const held = { byBackup: false };
  return {
    app,
    held,
    id,
    at,
    travelMs: at.getTime() - now.getTime(),
    options,
    pinned,
    graceMs,
    fullGraceMs,
    doomMs: Math.min(graceMs, DOOM_MS),
    linkMs: options.isNow ? 0 : LINK_MS,
    reflogMs: app.config.LARDER_REFLOG_DAYS * 24 * HOUR_MS,
    signal: options.signal ?? new AbortController().signal,
    async phase(text) {
      options.onPhase?.(text);
      await notePhase(app.db, id, text);
    },
    heldByBackup() {
      held.byBackup = true;
      return 0;
    },
  };
}

/** Takes what is dead in the repos; those that cannot be judged are left alone and named. */
async function takeRows(session: Tx, run: Run, result: Progress): Promise<void> {
  const { rows } = await session.query<{ id: RepoId; has_history: boolean; name: string }>(
    `SELECT r.id, h.repo_id IS NOT NULL AS has_history, r.type || ':' || n.name || '/' || r.name AS name
     FROM repo r JOIN namespace n ON n.id = r.namespace_id LEFT JOIN plan_history h ON h.repo_id = r.id
     WHERE r.deleted_at IS NULL
       AND (h.repo_id IS NOT NULL OR r.id IN (SELECT repo_id FROM plan_edge WHERE may_go <= $1)) ORDER BY r.id`,
    [run.at],
  );
  for (const [index, { id, has_history, name }] of rows.entries()) {
    await run.phase(`sweeping repositories: ${index + 1} of ${rows.length}`);
    try {
      if (has_history && !(await sweepObjects(run, id, result.git)))
        result.skipped.push({ repo: name, why: 'it kept changing; the next run takes the rest' });
      result.git.edges += await sweepEdges(run, id);
    } catch (error) {
      const isLocked = (error as { code?: string }).code === LOCK_NOT_AVAILABLE;
      if (!(error instanceof MissingObject) && !isLocked) throw error;
      result.skipped.push({
        repo: name,
        why: isLocked ? 'somebody is writing to it' : (error as Error).message,
      });
    }
  }
  await run.phase('removing what hangs on deleted repositories');
  for (const id of await listUnpurged(run.app)) await purgeRepo(run.app, id, result.git, run.signal);
}

interface Progress {
  readonly git: { objects: number; bytes: number; edges: number };
  readonly skipped: { repo: string; why: string }[];
}

/** Each phase looks for itself what is there: killed anywhere, the next run goes on. */
async function takeBytes(app: App, run: Run): Promise<{ objects: number; bytes: number; repacked: number }> {
  await run.phase('dooming what nobody holds');
  await doomFiles(run);
  await deleteDoomedFiles(run);
  await deleteEmptyLogs(run);
  await doomObjects(run);
  await run.phase('repacking half-dead xorbs');
  const repacked = await repack(app, run);
  if (run.options.dropsPins) await dropPins(run);
  await condemnXorbs(run);
  await releaseCondemned(run);
  await releaseDoomedObjects(run);
  await run.phase('looking for orphans in the store');
  await takeOrphans(run);
  await run.phase('deleting bytes');
  return { ...(await deleteBytes(run)), repacked };
}

async function carryOut(
  app: App,
  session: Tx,
  run: Awaited<ReturnType<typeof prepareRun>>,
  seams: ReclaimSeams,
): Promise<Omit<ReclaimOutcome, 'id'>> {
  await plan(session, run);
  if (seams.onItem) for await (const item of planItems(session, run)) await seams.onItem(item);
  const { brake, ...figures } = await readFigures(session);
  const skipped = await session.query<{ repo: string; why: string }>(
    `SELECT r.type || ':' || n.name || '/' || r.name AS repo, s.why FROM plan_skipped s
     JOIN repo r ON r.id = s.repo_id JOIN namespace n ON n.id = r.namespace_id ORDER BY r.id`,
  );
  const progress: Progress = { git: { objects: 0, bytes: 0, edges: 0 }, skipped: skipped.rows };
  const found = await planTotals(session, run);
  const resultOf = (freed: { objects: number; bytes: number; repacked: number }): ReclaimResult => ({
    ...figures,
    found,
    freedBytes: freed.bytes,
    freedObjects: freed.objects,
    freedGitBytes: progress.git.bytes,
    freedGitObjects: progress.git.objects,
    removedEdges: progress.git.edges,
    repackedXorbs: freed.repacked,
    skipped: progress.skipped,
  });
  const nothing = { objects: 0, bytes: 0, repacked: 0 };
  const reason = brakeReason(brake, run.app.config.LARDER_GC_BRAKE_PERCENT, seams.brakeFloor ?? BRAKE_FLOOR);
  if (run.options.isDry) return { state: 'done', result: resultOf(nothing), message: reason ?? '' };
  if (reason !== null && !run.options.isForced) {
    run.app.log.error({ runId: run.id, ...brake }, `garbage collection stopped: ${reason}`);
    return { state: 'stopped', result: resultOf(nothing), message: reason };
  }
  await failpoint('reclaim.planned');
  await takeRows(session, run, progress);
  const freed = await takeBytes(app, run);
  if (run.held.byBackup)
    progress.skipped.push({ repo: 'store', why: 'a backup is copying objects; the next run takes the rest' });
  return { state: 'done', result: resultOf(freed), message: '' };
}

/**
 * Collects garbage, or says what would go. One run at a time in all processes: another one ends as `refused`. Everything
 * is found first; when that is more than the brake allows nothing is touched (`stopped`). Then it goes in batches, each
 * of which looks again under locks whether it is still garbage (decision 0019): commits, pushes and uploads go on
 * meanwhile, and a process that dies anywhere leaves work for the next run and nothing else. The lease ends with the
 * process's connection. Throws when database or store fail, after the run is noted as `failed`.
 */
export async function reclaim(
  app: App,
  seams: ReclaimSeams,
  options: ReclaimOptions,
): Promise<ReclaimOutcome> {
  const session = await app.db.connect();
  let id = 0;
  try {
    await session.query('SET statement_timeout = 0');
    const { rows } = await session.query<{ taken: boolean }>(
      `SELECT pg_try_advisory_lock(hashtextextended('larder reclaim', 0)) AS taken`,
    );
    const isHolder = rows[0]?.taken === true;
    if (isHolder) await endLostRuns(session);
    id = await insertRun(app.db, options);
    if (!isHolder) {
      const refused = { state: 'refused' as const, result: null, message: 'another run is at work' };
      await endRun(app.db, id, refused);
      return { id, ...refused };
    }
    const run = await prepareRun(app, options, seams.pinned, id);
    const outcome = await carryOut(app, session, run, seams);
    await endRun(app.db, id, outcome);
    return { id, ...outcome };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (id > 0) await endRun(app.db, id, { state: 'failed', result: null, message }).catch(() => {});
    throw error;
  } finally {
    await session.query('SELECT pg_advisory_unlock_all()').catch(() => {});
    session.release(true); // with the tables of the plan
  }
}

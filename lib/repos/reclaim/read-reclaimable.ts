import type { Ctx } from '#lib/identity/context.ts';
import { requireAdministrator } from './require-administrator.ts';
import { listRuns, type RunRow } from './runs-db.ts';

const RUNS = 20;

export interface Reclaimable {
  /** All objects of the store that rows name. */
  readonly storedBytes: number;
  readonly storedObjects: number;
  /** Of these, what nobody holds any more and waits for its bytes to be deleted. */
  readonly leavingBytes: number;
  readonly leavingObjects: number;
  readonly databaseBytes: number;
  /** Whether it runs every night. */
  readonly isScheduled: boolean;
  readonly graceHours: number;
  readonly reflogDays: number;
  /** What the latest look or run found, and what runs freed. */
  readonly runs: readonly RunRow[];
}

/**
 * What the store holds and what garbage collection did and found, for administrators. The figures by reason are those of
 * the latest run: finding them anew means looking through every repo. Throws unauthenticated, forbidden.
 */
export async function readReclaimable(ctx: Ctx): Promise<Reclaimable> {
  requireAdministrator(ctx);
  const { rows } = await ctx.db.query<
    Pick<Reclaimable, 'storedBytes' | 'storedObjects' | 'leavingBytes' | 'leavingObjects' | 'databaseBytes'>
  >(
    `SELECT coalesce(sum(o.size_bytes), 0)::bigint AS "storedBytes", count(*) AS "storedObjects",
            coalesce(sum(o.size_bytes) FILTER (WHERE leaving), 0)::bigint AS "leavingBytes",
            count(*) FILTER (WHERE leaving) AS "leavingObjects",
            pg_database_size(current_database()) AS "databaseBytes"
     FROM (SELECT o.size_bytes, o.state = 'deleting' OR o.doomed_at IS NOT NULL OR x.state = 'condemned' AS leaving
           FROM stored_object o LEFT JOIN xorb x ON x.object_id = o.id WHERE o.state <> 'gone') o`,
  );
  const totals = rows[0] as (typeof rows)[0];
  return {
    ...totals,
    isScheduled: ctx.config.LARDER_GC,
    graceHours: ctx.config.LARDER_GC_GRACE_HOURS,
    reflogDays: ctx.config.LARDER_REFLOG_DAYS,
    runs: await listRuns(ctx.db, RUNS),
  };
}

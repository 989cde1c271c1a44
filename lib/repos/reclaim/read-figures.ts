import type { Tx } from '#lib/base/db.ts';
import type { BrakeFigures } from './brake.ts';

/** What there is, and what of it the plan of this session would newly make garbage. */
export async function readFigures(
  session: Tx,
): Promise<{ storedBytes: number; storedObjects: number; databaseBytes: number; brake: BrakeFigures }> {
  const { rows } = await session.query<Omit<BrakeFigures, 'brake'> & { databaseBytes: number }>(
    `SELECT s.bytes AS "storedBytes", s.objects AS "storedObjects", g.objects AS "gitObjects",
            pg_database_size(current_database()) AS "databaseBytes",
            p.bytes + o.bytes AS "newBytes", p.objects + o.objects AS "newObjects", h.objects AS "newGitObjects", o.bytes AS "orphanBytes"
     FROM (SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes, count(*) AS objects FROM stored_object WHERE state <> 'gone') s,
       (SELECT count(*) AS objects FROM git_object) g,
       (SELECT coalesce(sum(o.size_bytes), 0)::bigint AS bytes, count(*) AS objects
        FROM plan_object p JOIN stored_object o ON o.id = p.id WHERE p.is_new) p,
       (SELECT coalesce(sum(size_bytes), 0)::bigint AS bytes, count(*) AS objects FROM plan_orphan) o,
       (SELECT coalesce(sum(objects), 0)::bigint AS objects FROM plan_history WHERE reason = 'unreachable-history') h`,
  );
  const row = rows[0] as BrakeFigures & { databaseBytes: number };
  const { storedBytes, storedObjects, databaseBytes } = row;
  return { storedBytes, storedObjects, databaseBytes, brake: row };
}

import type { Queryable, Tx } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { NO_OTHER_USE } from './doom.ts';
import { findDead } from './find-dead.ts';
import { findOrphans } from './find-orphans.ts';
import { MissingObject } from './mark-reachable.ts';
import type { ReasonTotals, ReclaimItem, Run } from './types.ts';

const OIDS_PER_INSERT = 5000;

/**
 * Tables of one connection. A plan is what is true now, without a lock: the run looks at everything again. `may_go` is
 * the first moment at which a run would take it.
 */
const TABLES = `
  CREATE TEMP TABLE IF NOT EXISTS plan_history (repo_id bigint PRIMARY KEY, reason text, objects bigint, bytes bigint);
  CREATE TEMP TABLE IF NOT EXISTS plan_pointer (repo_id bigint, oid bytea, PRIMARY KEY (repo_id, oid));
  CREATE TEMP TABLE IF NOT EXISTS plan_skipped (repo_id bigint PRIMARY KEY, why text);
  CREATE TEMP TABLE IF NOT EXISTS plan_edge (repo_id bigint, sha256 bytea, may_go timestamptz, PRIMARY KEY (repo_id, sha256));
  CREATE TEMP TABLE IF NOT EXISTS plan_file (id bigint PRIMARY KEY, may_go timestamptz);
  CREATE TEMP TABLE IF NOT EXISTS plan_xorb (id bigint PRIMARY KEY, may_go timestamptz);
  CREATE TEMP TABLE IF NOT EXISTS plan_object (id bigint PRIMARY KEY, reason text, may_go timestamptz, repo_id bigint, is_new boolean);
  CREATE TEMP TABLE IF NOT EXISTS plan_orphan (key text PRIMARY KEY, size_bytes bigint, may_go timestamptz);
  TRUNCATE plan_history, plan_pointer, plan_skipped, plan_edge, plan_file, plan_xorb, plan_object, plan_orphan`;

/** Repos that garbage may be found in. */
async function listRepos(db: Queryable): Promise<{ id: RepoId; isDeleted: boolean }[]> {
  const { rows } = await db.query<{ id: RepoId; deleted: boolean }>(
    'SELECT id, deleted_at IS NOT NULL AS deleted FROM repo ORDER BY id',
  );
  return rows.map(({ id, deleted }) => ({ id, isDeleted: deleted }));
}

async function planRepo(session: Tx, run: Run, repoId: RepoId): Promise<void> {
  try {
    const dead = await findDead(run.app.db, run, repoId);
    const objects = dead.heads.length + dead.rest.length;
    if (objects > 0)
      await session.query(`INSERT INTO plan_history VALUES ($1, 'unreachable-history', $2, $3)`, [
        repoId,
        objects,
        dead.bytes,
      ]);
    for (let at = 0; at < dead.pointers.length; at += OIDS_PER_INSERT)
      await session.query('INSERT INTO plan_pointer SELECT $1, unnest($2::bytea[])', [
        repoId,
        dead.pointers.slice(at, OIDS_PER_INSERT),
      ]);
  } catch (error) {
    if (!(error instanceof MissingObject)) throw error;
    await session.query('INSERT INTO plan_skipped VALUES ($1, $2)', [repoId, error.message]);
  }
}

async function planDeleted(session: Tx): Promise<void> {
  await session.query(
    `INSERT INTO plan_history
     SELECT g.repo_id, 'deleted-repository', count(*), sum(octet_length(g.data))
     FROM git_object g JOIN repo r ON r.id = g.repo_id WHERE r.deleted_at IS NOT NULL GROUP BY g.repo_id`,
  );
}

/** Edges, then what only they lead to: files, xorbs, objects. $1 the moment, then intervals. */
async function planBytes(session: Tx, run: Run): Promise<void> {
  const ms = (value: number) => `${value} milliseconds`;
  await session.query(
    `INSERT INTO plan_edge
     SELECT e.repo_id, e.sha256,
            CASE WHEN r.deleted_at IS NULL THEN greatest(e.used_at + $2::interval, $1) ELSE $1 END
     FROM repo_file e JOIN repo r ON r.id = e.repo_id
     WHERE e.repo_id NOT IN (SELECT repo_id FROM plan_skipped) AND (r.deleted_at IS NOT NULL OR NOT EXISTS (
       SELECT 1 FROM git_object g WHERE g.repo_id = e.repo_id AND g.lfs_sha256 = e.sha256
         AND NOT EXISTS (SELECT 1 FROM plan_pointer p WHERE p.repo_id = g.repo_id AND p.oid = g.oid)))`,
    [run.at, ms(run.graceMs)],
  );
  await session.query(
    `INSERT INTO plan_file
     SELECT f.id, greatest(coalesce(f.doomed_at, max(d.may_go), $1) + $2::interval, $1)
     FROM xet_file f LEFT JOIN repo_file e ON e.xet_file_id = f.id
       LEFT JOIN plan_edge d ON d.repo_id = e.repo_id AND d.sha256 = e.sha256
     GROUP BY f.id HAVING bool_and(e.repo_id IS NULL OR d.repo_id IS NOT NULL)`,
    [run.at, ms(run.doomMs)],
  );
  await session.query(
    `INSERT INTO plan_xorb
     SELECT x.id, CASE WHEN x.state = 'condemned' THEN greatest(x.condemned_at + $3::interval, $1)
       ELSE greatest(CASE WHEN $4 THEN $1 ELSE x.pinned_until END, x.created_at + $2::interval, max(f.may_go), $1)
         + $3::interval END
     FROM xorb x LEFT JOIN xet_file_xorb fx ON fx.xorb_id = x.id LEFT JOIN plan_file f ON f.id = fx.file_id
     GROUP BY x.id HAVING bool_and(fx.file_id IS NULL OR f.id IS NOT NULL)`,
    [run.at, ms(run.graceMs), ms(run.linkMs), run.options.dropsPins === true],
  );
  await planObjects(session, run, ms);
}

async function planObjects(session: Tx, run: Run, ms: (value: number) => string): Promise<void> {
  await session.query(
    `INSERT INTO plan_object
     SELECT x.object_id, 'unused-chunks', p.may_go, x.created_by, x.state <> 'condemned'
     FROM plan_xorb p JOIN xorb x ON x.id = p.id`,
  );
  await session.query(
    `INSERT INTO plan_object
     SELECT o.id, CASE WHEN bool_and(r.deleted_at IS NOT NULL) THEN 'deleted-repository' ELSE 'unused-file' END,
            CASE WHEN o.state IN ('deleting', 'orphan') THEN $1
              ELSE greatest(coalesce(o.doomed_at, greatest(max(d.may_go), o.created_at + $2::interval, $1)) + $3::interval, $1) END,
            max(e.repo_id), o.state NOT IN ('deleting', 'orphan') AND o.doomed_at IS NULL
     FROM stored_object o LEFT JOIN repo_file e ON e.object_id = o.id LEFT JOIN repo r ON r.id = e.repo_id
       LEFT JOIN plan_edge d ON d.repo_id = e.repo_id AND d.sha256 = e.sha256
     WHERE o.state <> 'gone' AND ${NO_OTHER_USE}
     GROUP BY o.id HAVING bool_and(e.repo_id IS NULL OR d.repo_id IS NOT NULL)`,
    [run.at, ms(run.graceMs), ms(run.doomMs)],
  );
  await session.query(
    `INSERT INTO plan_object
     SELECT o.id, 'unused-chunks', greatest(greatest(max(f.may_go), o.created_at + $2::interval, $1) + $3::interval, $1),
            min(s.repo_id), true
     FROM xet_shard s JOIN stored_object o ON o.id = s.object_id
       LEFT JOIN xet_shard_file sf ON sf.shard_id = s.id LEFT JOIN plan_file f ON f.id = sf.file_id
     GROUP BY o.id HAVING bool_and(sf.file_id IS NULL OR f.id IS NOT NULL)
     ON CONFLICT DO NOTHING`,
    [run.at, ms(run.graceMs), ms(run.doomMs)],
  );
}

/** Finds out what could go, and when, without changing or locking anything. `session` keeps it until it ends. */
export async function plan(session: Tx, run: Run): Promise<void> {
  await session.query(TABLES);
  let done = 0;
  const repos = await listRepos(run.app.db);
  for (const { id, isDeleted } of repos) {
    run.signal.throwIfAborted();
    if (done++ % 50 === 0) await run.phase(`looking through repositories: ${done} of ${repos.length}`);
    if (!isDeleted) await planRepo(session, run, id);
  }
  await planDeleted(session);
  await session.query('ANALYZE plan_pointer');
  await run.phase('looking through stored files');
  await planBytes(session, run);
  await run.phase('comparing with the store');
  for await (const orphans of findOrphans(run))
    await session.query(
      'INSERT INTO plan_orphan SELECT * FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) ON CONFLICT DO NOTHING',
      [orphans.map((o) => o.key), orphans.map((o) => o.sizeBytes), orphans.map((o) => o.mayGoAt)],
    );
}

/** All that was planned, as rows of (reason, repo, what, bytes, may_go). */
const ITEMS = `
  SELECT h.reason, h.repo_id, h.objects || ' git objects' AS what, h.objects AS count, h.bytes, $1::timestamptz AS may_go FROM plan_history h
  UNION ALL
  SELECT p.reason, p.repo_id, o.key, 1, o.size_bytes, p.may_go FROM plan_object p JOIN stored_object o ON o.id = p.id
  UNION ALL
  SELECT 'orphan', NULL, key, 1, size_bytes, may_go FROM plan_orphan`;

/** By reason. "Now" is what the next run takes. */
export async function planTotals(session: Tx, run: Run): Promise<ReasonTotals[]> {
  const { rows } = await session.query<ReasonTotals>(
    `SELECT reason, sum(count)::bigint AS count, sum(bytes)::bigint AS bytes,
            coalesce(sum(count) FILTER (WHERE may_go <= $1), 0)::bigint AS "countNow",
            coalesce(sum(bytes) FILTER (WHERE may_go <= $1), 0)::bigint AS "bytesNow"
     FROM (${ITEMS}) i GROUP BY reason ORDER BY reason`,
    [run.at],
  );
  return rows;
}

const ROWS_PER_FETCH = 1000;

/** Every single thing, largest reasons first; a page at a time. */
export async function* planItems(session: Tx, run: Run): AsyncGenerator<ReclaimItem> {
  await session.query('BEGIN');
  try {
    await session.query(
      `DECLARE plan_items NO SCROLL CURSOR FOR
       SELECT i.reason, r.type || ':' || n.name || '/' || r.name AS repo, i.what, i.bytes, i.may_go AS "mayGoAt"
       FROM (${ITEMS.replace('$1', `'${run.at.toISOString()}'`)}) i
         LEFT JOIN repo r ON r.id = i.repo_id LEFT JOIN namespace n ON n.id = r.namespace_id
       ORDER BY i.reason, i.may_go, i.what`,
    );
    for (;;) {
      const { rows } = await session.query<ReclaimItem>(`FETCH ${ROWS_PER_FETCH} FROM plan_items`);
      yield* rows;
      if (rows.length < ROWS_PER_FETCH) return;
    }
  } finally {
    await session.query('ROLLBACK');
  }
}

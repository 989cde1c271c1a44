import type { Db } from '#lib/base/db.ts';

const TABLES = ['repo', 'git_object', 'commit_index', 'ref', 'ref_update', 'audit_event'] as const;

/** How many rows there are of everything that a commit or a new repo writes, and how many jobs wait. */
export async function countTraces(db: Db): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const table of TABLES)
    counts[table] = (await db.query<{ n: number }>(`SELECT count(*) AS n FROM ${table}`)).rows[0]?.n ?? 0;
  const refs = await db.query<{ oids: string }>(
    `SELECT coalesce(string_agg(encode(oid, 'hex'), ' ' ORDER BY repo_id, name), '') AS oids FROM ref`,
  );
  return { ...counts, [`refs at ${refs.rows[0]?.oids}`]: 1 };
}

import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { repoPushed } from '../jobs.ts';
import { Finding } from './finding.ts';

const LIMIT = 1000;

const DISCUSSIONS = `SELECT d.repo_id, d.num, d.event_count, d.comment_count, c.events, c.comments
  FROM discussion d, LATERAL (SELECT count(*)::int AS events, (count(*) FILTER (WHERE e.kind = 'comment'))::int AS comments
                              FROM discussion_event e WHERE e.repo_id = d.repo_id AND e.num = d.num) c
  WHERE d.event_count <> c.events OR d.comment_count <> c.comments LIMIT ${LIMIT}`;

const BOARDS = `SELECT b.repo_id, b.last_num, max(d.num) AS highest FROM discussion_board b
  JOIN discussion d ON d.repo_id = b.repo_id GROUP BY b.repo_id, b.last_num HAVING max(d.num) > b.last_num LIMIT ${LIMIT}`;

/** A job brings facts up to the head within seconds of a push; what is behind for an hour was forgotten. */
const STALE_FACTS = `SELECT r.id FROM repo r JOIN ref h ON h.repo_id = r.id AND h.name = 'refs/heads/' || r.default_branch
  LEFT JOIN repo_facts f ON f.repo_id = r.id
  WHERE r.deleted_at IS NULL AND h.updated_at < now() - interval '1 hour' AND f.commit_oid IS DISTINCT FROM h.oid LIMIT ${LIMIT}`;

const STORAGE = `SELECT r.id, coalesce(s.logical_bytes, 0)::bigint AS said, c.bytes FROM repo r
  LEFT JOIN repo_storage s ON s.repo_id = r.id,
  LATERAL (SELECT coalesce(sum(e.size_bytes), 0)::bigint AS bytes FROM repo_file e WHERE e.repo_id = r.id) c
  WHERE r.deleted_at IS NULL AND coalesce(s.logical_bytes, 0) <> c.bytes LIMIT ${LIMIT}`;

interface DiscussionRow {
  repo_id: RepoId;
  num: number;
  event_count: number;
  comment_count: number;
  events: number;
  comments: number;
}

/** Numbers that are kept beside what they count, and facts that are kept beside what they were read from. */
export async function* checkCounters(app: Pick<App, 'db' | 'queue'>): AsyncGenerator<Finding> {
  const { db } = app;
  const discussions = await db.query<DiscussionRow>(DISCUSSIONS);
  for (const { repo_id, num, ...row } of discussions.rows)
    yield new Finding(
      'counter-differs',
      `discussion ${num} of repo ${repo_id}`,
      `says ${row.event_count} events, ${row.comment_count} comments; there are ${row.events} and ${row.comments}`,
      {
        key: `discussion:${repo_id}:${num}`,
        what: 'count again',
        run: async () => {
          await db.query(
            `UPDATE discussion d SET
               event_count = (SELECT count(*) FROM discussion_event e WHERE e.repo_id = d.repo_id AND e.num = d.num),
               comment_count = (SELECT count(*) FROM discussion_event e
                                WHERE e.repo_id = d.repo_id AND e.num = d.num AND e.kind = 'comment')
             WHERE repo_id = $1 AND num = $2`,
            [repo_id, num],
          );
          return 'counted';
        },
      },
    );
  const boards = await db.query<{ repo_id: RepoId; last_num: number; highest: number }>(BOARDS);
  for (const { repo_id, last_num, highest } of boards.rows)
    yield new Finding(
      'counter-differs',
      `discussions of repo ${repo_id}`,
      `the last number given is said to be ${last_num}, but there is ${highest}`,
      {
        key: `board:${repo_id}`,
        what: 'raise it',
        run: async () => {
          await db.query(
            `UPDATE discussion_board b SET last_num = greatest(last_num,
               (SELECT max(num) FROM discussion d WHERE d.repo_id = b.repo_id)) WHERE repo_id = $1`,
            [repo_id],
          );
          return 'raised';
        },
      },
    );
  const storage = await db.query<{ id: RepoId; said: number; bytes: number }>(STORAGE);
  for (const { id, said, bytes } of storage.rows)
    yield new Finding(
      'counter-differs',
      `repo ${id}`,
      `is said to hold ${said} bytes of large files; it holds ${bytes}`,
      {
        key: `storage:${id}`,
        what: 'count again',
        run: async () => {
          await db.query(
            `INSERT INTO repo_storage AS s (repo_id, logical_bytes, file_count)
             SELECT $1, coalesce(sum(size_bytes), 0), count(*) FROM repo_file WHERE repo_id = $1
             ON CONFLICT (repo_id) DO UPDATE SET logical_bytes = EXCLUDED.logical_bytes, file_count = EXCLUDED.file_count`,
            [id],
          );
          return 'counted';
        },
      },
    );
  const { rows } = await db.query<{ id: RepoId }>(STALE_FACTS);
  for (const { id } of rows)
    yield new Finding('facts-stale', `repo ${id}`, 'its facts are not those of its head', {
      key: `facts:${id}`,
      what: 'ask a worker to read them again',
      run: async () => {
        await app.queue.enqueue(db, repoPushed, { repoId: id }, { key: String(id) });
        return 'asked';
      },
    });
}

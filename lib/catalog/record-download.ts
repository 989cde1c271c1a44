import type { Db, Queryable } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';

/** One client's fetches of one repo within this time are one download, however many files and requests it takes. */
const WINDOW_MS = 10 * 60_000;
const MAX_REMEMBERED = 50_000;
const FLUSH_MS = 5_000;

class DownloadCounter {
  /** Who fetched what, oldest first: bounded by MAX_REMEMBERED. */
  readonly #seen = new Map<string, number>();
  #counts = new Map<RepoId, number>();
  #timer: NodeJS.Timeout | undefined;
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  add(repoId: RepoId, client: string, nowMs: number): void {
    const key = `${repoId} ${client}`;
    const last = this.#seen.get(key);
    if (last !== undefined && nowMs - last < WINDOW_MS) return;
    this.#seen.delete(key);
    this.#seen.set(key, nowMs);
    if (this.#seen.size > MAX_REMEMBERED) {
      for (const oldest of this.#seen.keys()) {
        this.#seen.delete(oldest);
        break;
      }
    }
    this.#counts.set(repoId, (this.#counts.get(repoId) ?? 0) + 1);
    this.#timer ??= setTimeout(() => void this.flush().catch(() => {}), FLUSH_MS).unref();
  }

  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const counts = this.#counts;
    if (counts.size === 0) return;
    this.#counts = new Map();
    try {
      await addDownloads(this.#db, counts);
    } catch (error) {
      for (const [repoId, count] of counts) this.#counts.set(repoId, (this.#counts.get(repoId) ?? 0) + count);
      throw error;
    }
  }
}

const counters = new WeakMap<Queryable, DownloadCounter>();

function counterOf(db: Db): DownloadCounter {
  let counter = counters.get(db);
  if (!counter) counters.set(db, (counter = new DownloadCounter(db)));
  return counter;
}

/**
 * Notes that this caller fetches a file of the repo. Costs no query: counts are kept in the process and written
 * every 5 s, so a killed process loses at most that many seconds of statistics.
 */
export function recordDownload(ctx: Pick<Ctx, 'db' | 'clock' | 'principal' | 'ip'>, repoId: RepoId): void {
  const client = ctx.principal.kind === 'user' ? ctx.principal.id : (ctx.ip ?? '');
  counterOf(ctx.db).add(repoId, client, ctx.clock.now());
}

/** Writes what this process has counted; called before it ends. */
export async function flushDownloads(db: Db): Promise<void> {
  await counters.get(db)?.flush();
}

async function addDownloads(db: Db, counts: ReadonlyMap<RepoId, number>): Promise<void> {
  await db.query(
    `WITH n AS (SELECT * FROM unnest($1::bigint[], $2::int[]) AS t(repo_id, count)),
     d AS (INSERT INTO download_day (repo_id, day, count)
           SELECT repo_id, (now() AT TIME ZONE 'UTC')::date, count FROM n
           ON CONFLICT (repo_id, day) DO UPDATE SET count = download_day.count + EXCLUDED.count)
     UPDATE repo r SET downloads = r.downloads + n.count FROM n WHERE r.id = n.repo_id`,
    [[...counts.keys()], [...counts.values()]],
  );
}

import { type Db, transaction } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { App, Ctx } from '#lib/identity/context.ts';
import { canWrite, roleIn } from '#lib/identity/policy.ts';
import { requireRead, visibleRepos } from '../access.ts';
import { createSlots } from '../files/xet/slots.ts';
import type { Repo, RepoRef } from '../types.ts';
import { storageReportWanted } from './jobs.ts';
import { type ComputedReport, refreshReport } from './refresh-report.ts';
import { type Room, readRoom } from './require-room.ts';
import type { SharedWith, StorageReport } from './types.ts';

/** Larger repos are computed by a job: meanwhile the last picture is shown with its time. */
const INLINE_FILES = 500;
const INLINE_BYTES = 50_000_000_000;
/** Other repos may have changed what is shared: after this long the picture is made again. */
const MAX_AGE_MS = 3600_000;

const computations = createSlots({
  limit: 2,
  maxWaiting: 32,
  maxWaitMs: 20_000,
  what: 'pictures of storage',
});

/** A repo that shares stored bytes with the one that is looked at. */
export interface SharingRepo extends RepoRef {
  readonly bytes: number;
}

/** What the reader may see of a repo's storage. */
export interface RepoStorage {
  /** Known at once, whatever the age of the report. */
  readonly logicalBytes: number;
  readonly fileCount: number;
  /** The tightest limit; null when there is none, or the reader has nothing to do with it. */
  readonly room: Room | null;
  readonly report: Omit<StorageReport, 'sharedWith'> | null;
  readonly sharedWith: readonly SharingRepo[];
  /** Repos that share bytes and that the reader may not see, with the bytes of each summed up. */
  readonly hidden: { readonly count: number; readonly bytes: number };
  /** How much is shared may be told: to members of the owner, and to others when nothing hidden is involved. */
  readonly knowsSharing: boolean;
  readonly computedAt: Date | null;
  readonly tookMs: number;
  /** A newer report is on its way. */
  readonly isComputing: boolean;
  readonly mayConvert: boolean;
}

interface Basis {
  readonly logicalBytes: number;
  readonly fileCount: number;
  readonly last: ComputedReport | null;
}

async function readBasis(db: Db, repoId: RepoId): Promise<Basis> {
  const { rows } = await db.query<{
    logical: number;
    files: number;
    report: StorageReport | null;
    computed_at: Date | null;
    took_ms: number | null;
  }>(
    `SELECT coalesce(s.logical_bytes, 0)::bigint AS logical, coalesce(s.file_count, 0) AS files,
            p.report, p.computed_at, p.took_ms
     FROM (SELECT $1::bigint AS repo_id) r
     LEFT JOIN repo_storage s USING (repo_id) LEFT JOIN storage_report p USING (repo_id)`,
    [repoId],
  );
  const row = rows[0];
  const last =
    row?.report && row.computed_at
      ? { report: row.report, computedAt: row.computed_at, tookMs: row.took_ms ?? 0 }
      : null;
  return { logicalBytes: row?.logical ?? 0, fileCount: row?.files ?? 0, last };
}

async function lastRefMove(db: Db, repoId: RepoId): Promise<Date | null> {
  const { rows } = await db.query<{ at: Date | null }>(
    'SELECT max(updated_at) AS at FROM ref WHERE repo_id = $1',
    [repoId],
  );
  return rows[0]?.at ?? null;
}

async function isFresh(app: Pick<App, 'db' | 'clock'>, repo: Repo, basis: Basis): Promise<boolean> {
  const { last } = basis;
  if (last === null || app.clock.now() - last.computedAt.getTime() > MAX_AGE_MS) return false;
  if (last.report.logicalBytes !== basis.logicalBytes || last.report.fileCount !== basis.fileCount)
    return false;
  const movedAt = await lastRefMove(app.db, repo.id);
  return movedAt === null || movedAt < last.computedAt;
}

async function reportFor(
  ctx: Ctx,
  repo: Repo,
  basis: Basis,
): Promise<{ computed: ComputedReport | null; isComputing: boolean }> {
  if (await isFresh(ctx, repo, basis)) return { computed: basis.last, isComputing: false };
  if (basis.fileCount <= INLINE_FILES && basis.logicalBytes <= INLINE_BYTES)
    return {
      computed: await computations.use(() => refreshReport(ctx, repo), ctx.signal),
      isComputing: false,
    };
  await transaction(ctx.db, (tx) =>
    ctx.queue.enqueue(tx, storageReportWanted, { repoId: repo.id }, { key: String(repo.id) }),
  );
  return { computed: basis.last, isComputing: true };
}

/** Those of the sharing repos that the reader may see, by name, and what the others come to. */
async function nameSharing(
  ctx: Ctx,
  sharedWith: readonly SharedWith[],
): Promise<Pick<RepoStorage, 'sharedWith' | 'hidden'>> {
  const visible = visibleRepos(ctx.principal, 'r', 2);
  const { rows } = await ctx.db.query<{ id: number; type: RepoRef['type']; namespace: string; name: string }>(
    `SELECT r.id, r.type, n.name AS namespace, r.name FROM repo r JOIN namespace n ON n.id = r.namespace_id
     WHERE r.id = ANY($1::bigint[]) AND ${visible.sql}`,
    [sharedWith.map(({ repoId }) => repoId), ...visible.values],
  );
  const names = new Map(rows.map(({ id, ...ref }) => [id, ref]));
  const shown: SharingRepo[] = [];
  const hidden = { count: 0, bytes: 0 };
  for (const { repoId, bytes } of sharedWith) {
    const ref = names.get(repoId);
    if (ref !== undefined) shown.push({ ...ref, bytes });
    else {
      hidden.count += 1;
      hidden.bytes += bytes;
    }
  }
  return { sharedWith: shown, hidden };
}

/**
 * Where the bytes of a repo's large files are, for who may read it: sums at once, the picture from the last
 * computation (small repos: computed now when anything has changed, larger ones by a job). Other repos are named only to
 * who may read them; that there are hidden ones, and how much is shared at all, is told to members of the owner alone:
 * to a stranger it would betray private repos. Throws repo_not_found, overloaded.
 */
export async function readStorage(ctx: Ctx, ref: RepoRef): Promise<RepoStorage> {
  const repo = await requireRead(ctx, ref);
  const basis = await readBasis(ctx.db, repo.id);
  const { computed, isComputing } = await reportFor(ctx, repo, basis);
  const isMember = roleIn(ctx.principal, repo.namespaceId) !== null;
  const { sharedWith = [], ...report } = computed?.report ?? ({} as Partial<StorageReport>);
  const sharing = await nameSharing(ctx, sharedWith);
  const knowsSharing = isMember || sharing.hidden.count === 0;
  return {
    logicalBytes: basis.logicalBytes,
    fileCount: basis.fileCount,
    room: isMember ? await readRoom(ctx, repo.id) : null,
    report:
      computed === null
        ? null
        : withoutSecrets(report as Omit<StorageReport, 'sharedWith'>, isMember, knowsSharing),
    sharedWith: sharing.sharedWith,
    hidden: isMember ? sharing.hidden : { count: 0, bytes: 0 },
    knowsSharing,
    computedAt: computed?.computedAt ?? null,
    tookMs: computed?.tookMs ?? 0,
    isComputing,
    mayConvert: canWrite(ctx.principal, repo),
  };
}

/** What strangers need not know: how much is shared with whom they may not see, and hashes of what no ref reaches. */
function withoutSecrets(
  report: Omit<StorageReport, 'sharedWith'>,
  isMember: boolean,
  knowsSharing: boolean,
): Omit<StorageReport, 'sharedWith'> {
  return {
    ...report,
    ...(knowsSharing ? {} : { ownBytes: report.storedBytes, sharedBytes: 0 }),
    ...(isMember ? {} : { files: report.files.filter((file) => file.path !== null) }),
  };
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Queryable } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { isWorthConverting } from '../files/xet/convert-limits.ts';
import { loadLayouts } from '../files/xet/layouts.ts';
import { unpackTerms } from '../files/xet/terms.ts';
import type { Repo } from '../types.ts';
import { type Counts, countWhole, countXorb, newCounts, type Use } from './count-chunks.ts';
import { type Reach, reachFiles } from './reach-files.ts';
import type { CommitShare, FileShare, RefShare, Rest, StorageReport } from './types.ts';
import { type HeldFile, selectHeld, selectOtherFiles, selectOtherObjects, selectTerms } from './uses-db.ts';

const MAX_OTHERS = 5_000;
const FILES_AT_ONCE = 64;
const XORBS_AT_ONCE = 32;
const SHOWN_FILES = 200;
const SHOWN_COMMITS = 100;
const SHOWN_REPOS = 100;

/** Numbers for other repos, given out in order. */
class Others {
  readonly ids: number[] = [];
  readonly #numbers = new Map<number, number>();
  numberOf(repoId: number): number {
    let number = this.#numbers.get(repoId);
    if (number === undefined) {
      number = this.ids.push(repoId) - 1;
      this.#numbers.set(repoId, number);
    }
    return number;
  }
}

/** Uses by xorb: of the repo's own files, and of others as far as they concern the same xorbs. */
async function usesOf(
  app: Pick<App, 'db'>,
  who: readonly { readonly fileId: number; readonly who: readonly number[] }[],
  only: ReadonlyMap<number, unknown> | null,
): Promise<Map<number, Use[]>> {
  const uses = new Map<number, Use[]>();
  for (let at = 0; at < who.length; at += FILES_AT_ONCE) {
    const some = who.slice(at, at + FILES_AT_ONCE);
    const terms = await selectTerms(
      app.db,
      some.map(({ fileId }) => fileId),
    );
    for (const { fileId, who: users } of some)
      for (const { xorbId, start, end } of unpackTerms(terms.get(fileId) ?? Buffer.alloc(0))) {
        if (only !== null && !only.has(xorbId)) continue;
        const list = uses.get(xorbId) ?? [];
        for (const user of users) list.push({ who: user, start, end });
        uses.set(xorbId, list);
      }
    await nextTurn();
  }
  for (const list of uses.values()) list.sort((a, b) => a.who - b.who);
  return uses;
}

/** The repo's files in the order in which they came; those that no ref reaches last. */
function inOrder(held: readonly HeldFile[], reach: Reach): HeldFile[] {
  const since = (file: HeldFile) => reach.files.get(file.sha256)?.commit ?? Number.MAX_SAFE_INTEGER;
  return held.toSorted((a, b) => since(a) - since(b) || (a.sha256 < b.sha256 ? -1 : 1));
}

async function countAll(
  app: Pick<App, 'db'>,
  repo: Repo,
  files: readonly HeldFile[],
  reach: Reach,
): Promise<{ counts: Counts; others: number[]; isComplete: boolean }> {
  const xetIds = files.flatMap((file) => file.xetFileId ?? []);
  const objectIds = files.flatMap((file) => file.objectId ?? []);
  const otherFiles = await selectOtherFiles(app.db, repo.id, xetIds, MAX_OTHERS);
  const otherObjects = await selectOtherObjects(app.db, repo.id, objectIds, MAX_OTHERS);
  const others = new Others();
  const own = files.flatMap(({ xetFileId }, i) =>
    xetFileId === null ? [] : [{ fileId: xetFileId, who: [i] }],
  );
  const uses = await usesOf(app, own, null);
  const usersOf = Map.groupBy(otherFiles, ({ fileId }) => fileId);
  const foreign = [...usersOf].map(([fileId, list]) => ({
    fileId,
    who: list.map(({ repoId }) => others.numberOf(repoId)),
  }));
  const otherUses = await usesOf(app, foreign, uses);
  const objectUsers = Map.groupBy(otherObjects, ({ objectId }) => objectId);
  for (const { repoId } of otherObjects) others.numberOf(repoId);
  const counts = newCounts(files.length, reach.refs.length, others.ids.length);
  const refsOf = (file: number) => reach.files.get((files[file] as HeldFile).sha256)?.refs ?? 0;
  for (const [i, { objectId, objectBytes }] of files.entries()) {
    const users = objectUsers.get(objectId as number) ?? [];
    const numbers = users.map(({ repoId }) => others.numberOf(repoId));
    if (objectId !== null) countWhole(counts, objectBytes, [i], numbers, refsOf);
  }
  const xorbs = [...uses];
  for (let at = 0; at < xorbs.length; at += XORBS_AT_ONCE) {
    const some = xorbs.slice(at, at + XORBS_AT_ONCE);
    const layouts = await loadLayouts(
      app,
      some.map(([id]) => id),
    );
    for (const [id, list] of some) {
      const layout = layouts.get(id);
      if (layout !== undefined) countXorb(counts, layout, list, otherUses.get(id) ?? [], refsOf);
    }
    await nextTurn();
  }
  const isComplete = otherFiles.length < MAX_OTHERS && otherObjects.length < MAX_OTHERS;
  return { counts, others: others.ids, isComplete };
}

const EMPTY_REST: Rest = { count: 0, logicalBytes: 0, addsBytes: 0 };
const restOf = (list: readonly { sizeBytes?: number; logicalBytes?: number; addsBytes: number }[]): Rest =>
  list.reduce<Rest>(
    (sum, item) => ({
      count: sum.count + 1,
      logicalBytes: sum.logicalBytes + (item.logicalBytes ?? item.sizeBytes ?? 0),
      addsBytes: sum.addsBytes + item.addsBytes,
    }),
    EMPTY_REST,
  );

async function titlesOf(db: Queryable, repoId: RepoId, oids: readonly Oid[]) {
  const { rows } = await db.query<{ oid: Buffer; title: string; committed_at: Date }>(
    'SELECT oid, title, committed_at FROM commit_index WHERE repo_id = $1 AND oid = ANY($2::bytea[])',
    [repoId, oids.map(bytesOf)],
  );
  return new Map(rows.map((row) => [hexOf<Oid>(row.oid), row]));
}

async function commitShares(
  db: Queryable,
  repo: Repo,
  files: readonly HeldFile[],
  reach: Reach,
  counts: Counts,
): Promise<{ commits: CommitShare[]; moreCommits: Rest; unreachable: Rest }> {
  const sums = new Map<number, Rest>();
  let unreachable = EMPTY_REST;
  for (const [i, file] of files.entries()) {
    const commit = reach.files.get(file.sha256)?.commit;
    const before = commit === undefined ? unreachable : (sums.get(commit) ?? EMPTY_REST);
    const sum = {
      count: before.count + 1,
      logicalBytes: before.logicalBytes + file.sizeBytes,
      addsBytes: before.addsBytes + (counts.first[i] as number),
    };
    if (commit === undefined) unreachable = sum;
    else sums.set(commit, sum);
  }
  const newest = [...sums].sort(([a], [b]) => b - a);
  const shown = newest
    .slice(0, SHOWN_COMMITS)
    .map(([n, sum]) => ({ oid: reach.commits[n]?.oid as Oid, sum }));
  const titles = await titlesOf(
    db,
    repo.id,
    shown.map(({ oid }) => oid),
  );
  const commits = shown.map(({ oid, sum }) => ({
    oid,
    title: titles.get(oid)?.title ?? '',
    date: titles.get(oid)?.committed_at.toISOString() ?? '',
    fileCount: sum.count,
    logicalBytes: sum.logicalBytes,
    addsBytes: sum.addsBytes,
  }));
  return { commits, moreCommits: restOf(newest.slice(SHOWN_COMMITS).map(([, sum]) => sum)), unreachable };
}

function refShares(files: readonly HeldFile[], reach: Reach, counts: Counts): RefShare[] {
  return reach.refs.map((ref, bit) => {
    const reached = files.filter((file) => ((reach.files.get(file.sha256)?.refs ?? 0) >> bit) & 1);
    return {
      ref,
      fileCount: reached.length,
      logicalBytes: reached.reduce((sum, file) => sum + file.sizeBytes, 0),
      addsBytes: counts.ofRef[bit] as number,
    };
  });
}

/**
 * Computes where the bytes of a repo's large files are: see StorageReport. Reads the repo's trees, the chunk lists of
 * its files and of those that share xorbs with them (5,000 at most), a few at a time; memory grows by 20 bytes per term.
 */
export async function computeReport(app: Pick<App, 'db'>, repo: Repo): Promise<StorageReport> {
  const reach = await reachFiles(app.db, repo);
  const files = inOrder(await selectHeld(app.db, repo.id), reach);
  const { counts, others, isComplete } = await countAll(app, repo, files, reach);
  const logicalBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const shares = files
    .map((file, i): FileShare => {
      const path = reach.files.get(file.sha256)?.path ?? null;
      const [storedBytes, addsBytes] = [counts.used[i] as number, counts.only[i] as number];
      const isInHead = reach.inHeads.has(file.sha256);
      return { sha256: file.sha256, path, isInHead, sizeBytes: file.sizeBytes, storedBytes, addsBytes };
    })
    .sort((a, b) => b.addsBytes - a.addsBytes || b.sizeBytes - a.sizeBytes);
  const sharedWith = others
    .map((repoId, i) => ({ repoId, bytes: counts.ofOther[i] as number }))
    .filter(({ bytes }) => bytes > 0)
    .sort((a, b) => b.bytes - a.bytes);
  const whole = files.filter((file) => file.xetFileId === null && isWorthConverting(file.sizeBytes));
  return {
    fileCount: files.length,
    logicalBytes,
    storedBytes: counts.storedBytes,
    savedByDedup: logicalBytes - counts.rawBytes,
    savedByCompression: counts.rawBytes - counts.storedBytes,
    ownBytes: counts.storedBytes - counts.sharedBytes,
    sharedBytes: counts.sharedBytes,
    sharedWith: sharedWith.slice(0, SHOWN_REPOS),
    files: shares.slice(0, SHOWN_FILES),
    moreFiles: restOf(shares.slice(SHOWN_FILES)),
    refs: refShares(files, reach, counts),
    ...(await commitShares(app.db, repo, files, reach, counts)),
    whole: { count: whole.length, bytes: whole.reduce((sum, file) => sum + file.sizeBytes, 0) },
    isComplete: isComplete && reach.isComplete,
  };
}

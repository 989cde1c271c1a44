import type { Db, Queryable } from '#lib/base/db.ts';
import { type HubError, hubError } from '#lib/base/errors.ts';
import { type Oid, parseOid, type RepoId } from '#lib/base/ids.ts';
import { type RefRow, selectCommitsByPrefix, selectRefs, selectRoots } from './db.ts';
import { parseTag } from './git/commit.ts';
import { selectObjects } from './git/db.ts';
import { decodeObject, KIND } from './git/objects.ts';
import { oidCache } from './git/oid-cache.ts';
import type { Repo, Revision } from './types.ts';

/** Revisions that mean the default branch: `HEAD` (JavaScript) and literally `None` (Python with create_pr). */
const DEFAULT_NAMES = new Set(['', 'HEAD', 'None']);
const SHORT_OID = /^[0-9a-f]{7,39}$/i;
const MAX_TAG_DEPTH = 5;

/** The error for a revision that is nothing here, in the Hub's words. */
export function revisionNotFound(revision: string): HubError {
  return hubError('revision_not_found', `Invalid rev id: ${revision}`);
}

/** Full names that `revision` may mean, preferred first; none when it can only be an oid. */
export function refNamesOf(revision: string, defaultBranch: string): string[] {
  if (DEFAULT_NAMES.has(revision)) return [`refs/heads/${defaultBranch}`];
  if (revision.startsWith('refs/')) return [revision];
  if (parseOid(revision.toLowerCase())) return [];
  return [`refs/heads/${revision}`, `refs/tags/${revision}`];
}

/** The root tree of a commit of this repo, or null when it has no such commit. Cached: it cannot change. */
async function findRoot(
  db: Db,
  repoId: RepoId,
  commitOid: Oid,
  through: Queryable = db,
): Promise<Oid | null> {
  const cache = oidCache(db).roots;
  const hit = cache.get(repoId, commitOid);
  if (hit !== undefined) return hit;
  const root = (await selectRoots(through, repoId, [commitOid])).get(commitOid);
  if (root === undefined) return null;
  cache.set(repoId, commitOid, root, 200);
  return root;
}

/** The root tree of a commit that must exist. */
export async function readRoot(
  db: Db,
  repoId: RepoId,
  commitOid: Oid,
  through: Queryable = db,
): Promise<Oid> {
  const root = await findRoot(db, repoId, commitOid, through);
  if (root === null) throw new Error(`commit ${commitOid} of repo ${repoId} is missing`);
  return root;
}

/** The commit that an oid is or, through annotated tags, points to; null when there is none. */
async function peel(db: Db, repoId: RepoId, start: Oid): Promise<Oid | null> {
  let oid = start;
  for (let depth = 0; depth < MAX_TAG_DEPTH; depth++) {
    if ((await findRoot(db, repoId, oid)) !== null) return oid;
    const object = (await selectObjects(db, repoId, [oid])).get(oid);
    if (object?.kind !== KIND.tag) return null;
    oid = parseTag(await decodeObject(object)).object;
  }
  return null;
}

/**
 * What `revision` means given the refs found for its names, or null. A branch wins over a tag, both over an
 * abbreviated oid (7 to 39 digits; ambiguous ones mean nothing).
 */
export async function chooseRevision(
  db: Db,
  repo: Repo,
  revision: string,
  refs: readonly RefRow[],
): Promise<Revision | null> {
  for (const name of refNamesOf(revision, repo.defaultBranch)) {
    const ref = refs.find((row) => row.name === name);
    if (ref === undefined) continue;
    if (name.startsWith('refs/heads/')) return { commitOid: ref.oid, ref: name };
    const commitOid = await peel(db, repo.id, ref.oid);
    if (commitOid !== null) return { commitOid, ref: name };
  }
  const oid = parseOid(revision.toLowerCase());
  if (oid !== undefined) {
    const commitOid = await peel(db, repo.id, oid);
    return commitOid === null ? null : { commitOid, ref: null };
  }
  if (!SHORT_OID.test(revision)) return null;
  const [commitOid, another] = await selectCommitsByPrefix(db, repo.id, revision.toLowerCase());
  return commitOid === undefined || another !== undefined ? null : { commitOid, ref: null };
}

/**
 * Resolves a decoded revision: branch, tag, full ref name, oid, abbreviated oid, `HEAD`. Throws
 * revision_not_found. The caller has checked the right to read.
 */
export async function resolveRevision(db: Db, repo: Repo, revision: string): Promise<Revision> {
  const names = refNamesOf(revision, repo.defaultBranch);
  const refs = names.length === 0 ? [] : await selectRefs(db, repo.id, names);
  const resolved = await chooseRevision(db, repo, revision, refs);
  if (resolved === null) throw revisionNotFound(revision);
  return resolved;
}

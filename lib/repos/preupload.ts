import { isUtf8 } from 'node:buffer';
import { hubError } from '#lib/base/errors.ts';
import type { Oid, Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canWrite } from '#lib/identity/policy.ts';
import { principalKey } from '#lib/identity/reload-principal.ts';
import { requireWrite } from './access.ts';
import { checkPath } from './check-path.ts';
import { readBlobFacts } from './describe-entries.ts';
import { findFiles } from './files/find-files.ts';
import { requireUnnamedRoom, type Uploader } from './files/xet/unnamed-xorbs.ts';
import { parseAttributes } from './git/attributes.ts';
import { parseIgnore } from './git/ignore.ts';
import type { CachedTree } from './git/oid-cache.ts';
import { readTree } from './git/read-trees.ts';
import { MODE } from './git/tree.ts';
import { baseBranch } from './pulls/create-discussion.ts';
import { requireParticipant } from './pulls/participation.ts';
import { numOfPullRef } from './pulls/types.ts';
import { readBlob } from './read-blob.ts';
import { pathLines } from './read-tree.ts';
import { readRoot, resolveRevision } from './resolve-revision.ts';
import type { Room } from './storage/require-room.ts';
import { requireRoomFor } from './storage/require-room-for.ts';
import type { Repo, RepoRef } from './types.ts';
import { requireWritableRef } from './writable-ref.ts';

/** From this size on a file is kept outside git. */
const LARGE_FROM_BYTES = 10 * 1024 * 1024;
const MAX_FILES = 1000;

export interface PreuploadRequest {
  readonly files: readonly {
    readonly path: string;
    readonly sizeBytes: number;
    /** The first bytes of the file, up to 512. */
    readonly sample: Buffer;
  }[];
  /** Rules that the client has and the repo may not have yet; they replace the repo's own. */
  readonly gitIgnore?: string | undefined;
  readonly gitAttributes?: string | undefined;
  /** The files will come with a new pull request to the revision, which must be a branch: reading the repo is enough. */
  readonly opensPull?: boolean;
}

export interface PreuploadAnswer {
  readonly path: string;
  readonly uploadMode: 'lfs' | 'regular';
  readonly shouldIgnore: boolean;
  /** What is at that path now: sha256 of a large file, git blob id of a regular one. Absent when nothing is. */
  readonly oid?: string;
}

export interface PreuploadResult {
  readonly commitOid: Oid;
  readonly files: PreuploadAnswer[];
  /** The tightest limit that applies, null when there is none. */
  readonly room: Room | null;
}

/** NUL, or not UTF-8 (a character cut by the end of the sample is forgiven). */
function isBinary(sample: Buffer): boolean {
  if (sample.includes(0)) return true;
  return ![0, 1, 2, 3].some((cut) => cut <= sample.length && isUtf8(sample.subarray(0, sample.length - cut)));
}

async function textAt(ctx: Pick<Ctx, 'db'>, repo: Repo, root: CachedTree, name: string): Promise<string> {
  const line = root.byName.get(name);
  const isFile = line?.mode === MODE.file || line?.mode === MODE.executable;
  return isFile ? (await readBlob(ctx.db, repo.id, line.oid)).toString('utf8') : '';
}

/**
 * What each file's content at these paths is known by to a client that holds the same file. A large file whose
 * bytes this repo does not hold any more is not named: the client must send it again.
 */
async function presentOids(
  ctx: Pick<Ctx, 'db'>,
  repo: Repo,
  rootOid: Oid,
  paths: readonly string[],
): Promise<Map<string, string>> {
  const placed = (await pathLines(ctx, repo, rootOid, paths)).filter(
    ({ line }) => line.mode === MODE.file || line.mode === MODE.executable,
  );
  const facts = await readBlobFacts(
    ctx.db,
    repo.id,
    placed.map(({ line }) => line.oid),
  );
  const sha256s = [...facts.values()].flatMap((fact): Sha256[] => (fact.lfs ? [fact.lfs.sha256] : []));
  const held = sha256s.length === 0 ? new Map() : await findFiles(ctx.db, repo.id, sha256s);
  const oids = new Map<string, string>();
  for (const { path, line } of placed) {
    const lfs = facts.get(line.oid)?.lfs;
    if (!lfs) oids.set(path, line.oid);
    else if (held.has(lfs.sha256)) oids.set(path, lfs.sha256);
  }
  return oids;
}

/** The repo, if the caller may commit to what the revision names, or propose a change to it. */
async function requireTarget(
  ctx: Pick<Ctx, 'db' | 'principal' | 'clock'>,
  ref: RepoRef,
  revision: string,
  opensPull = false,
): Promise<Repo> {
  if (numOfPullRef(revision) !== null) return (await requireWritableRef(ctx, ref, revision)).repo;
  if (!opensPull) return requireWrite(ctx, ref);
  const { repo } = await requireParticipant(ctx, ref);
  await baseBranch(ctx, repo, revision);
  return repo;
}

function uploaderOf({ principal }: Pick<Ctx, 'principal'>, repo: Repo): Uploader {
  const who = principalKey(principal);
  return { repoId: repo.id, who, ...(!canWrite(principal, repo) && { isGuest: true }) };
}

/**
 * How each file must be sent: `lfs` when .gitattributes at the revision says so, when the sample is binary, or from 10
 * MiB on; whether .gitignore drops it; and what is at its path now. The caller has checked the right and the paths.
 * Throws revision_not_found.
 */
export async function decideModes(
  ctx: Pick<Ctx, 'db'>,
  repo: Repo,
  revision: string,
  request: PreuploadRequest,
): Promise<Omit<PreuploadResult, 'room'>> {
  const { commitOid } = await resolveRevision(ctx.db, repo, revision);
  const rootOid = await readRoot(ctx.db, repo.id, commitOid);
  const root = await readTree(ctx.db, repo.id, rootOid);
  const rules = parseAttributes(request.gitAttributes ?? (await textAt(ctx, repo, root, '.gitattributes')));
  const isIgnored = parseIgnore(request.gitIgnore ?? (await textAt(ctx, repo, root, '.gitignore')));
  const paths = request.files.map((file) => file.path);
  const oids = await presentOids(ctx, repo, rootOid, paths);
  const files = request.files.map(({ path, sizeBytes, sample }): PreuploadAnswer => {
    const isLarge = rules.filterOf(path) === 'lfs' || isBinary(sample) || sizeBytes >= LARGE_FROM_BYTES;
    const oid = oids.get(path);
    const uploadMode = isLarge ? 'lfs' : 'regular';
    return { path, uploadMode, shouldIgnore: isIgnored(path), ...(oid === undefined ? {} : { oid }) };
  });
  return { commitOid, files };
}

/**
 * Tells a client before an upload how each file must be sent (decideModes), so that equal files need not be sent. One
 * answer per path asked. Throws repo_not_found, forbidden, revision_not_found, invalid_path, invalid_input (more than
 * 1000 files), quota_exceeded (the large ones cannot fit, or nothing more is taken: requireUnnamedRoom).
 */
export async function preupload(
  ctx: Pick<Ctx, 'db' | 'config' | 'principal' | 'clock'>,
  ref: RepoRef,
  revision: string,
  request: PreuploadRequest,
): Promise<PreuploadResult> {
  const repo = await requireTarget(ctx, ref, revision, request.opensPull);
  if (request.files.length > MAX_FILES)
    throw hubError('invalid_input', `files: at most ${MAX_FILES} per request`);
  for (const file of request.files) checkPath(file.path);
  const { commitOid, files } = await decideModes(ctx, repo, revision, request);
  const sizes = request.files.flatMap(({ sizeBytes }, i) => {
    const { uploadMode, shouldIgnore } = files[i] as PreuploadAnswer;
    return uploadMode === 'lfs' && !shouldIgnore ? [sizeBytes] : [];
  });
  const room = await requireRoomFor(ctx, repo.id, sizes);
  // Said here because hf shows why this is refused, but not why a xorb is.
  if (sizes.length > 0) await requireUnnamedRoom(ctx, uploaderOf(ctx, repo), 1);
  return { commitOid, files, room };
}

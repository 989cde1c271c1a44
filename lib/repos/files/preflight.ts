import { hubError, isHubError } from '#lib/base/errors.ts';
import { parseSha256, type Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '../access.ts';
import { checkPath } from '../check-path.ts';
import { decideModes } from '../preupload.ts';
import { quotaExceeded, type Room, readRoom } from '../storage/require-room.ts';
import type { Repo, RepoRef } from '../types.ts';
import { findClashes } from './find-clashes.ts';
import { findStored, sizesStored } from './find-stored.ts';
import { requireTarget } from './require-target.ts';
import { refuseTooMuch, type UploadRight } from './require-upload.ts';
import { checkSize } from './tus/create-upload.ts';

const FILES_AT_ONCE = 1000;

/** A file that shall be uploaded, as the client knows it. */
export interface CandidateFile {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256?: string | undefined;
  /** Its first bytes, up to 512: they tell a text from what is not. */
  readonly sample?: Buffer | undefined;
}

export interface PreflightRequest {
  readonly revision: string;
  readonly createPr: boolean;
  readonly files: readonly CandidateFile[];
}

/** How a file gets in: inside the commit, by an upload, by nothing at all because it is here, or not at all. */
export interface Verdict {
  readonly path: string;
  readonly how: 'inline' | 'upload' | 'stored' | 'refused';
  /** Why it is refused, for people. */
  readonly reason?: string;
  /** Of a file to upload: one of its size is among those that the caller may read, so that hashing it first may save it. */
  readonly maybeStored?: boolean;
  /** What is at that path now, which the file would replace: sha256 of a large file, git blob id of a small one. */
  readonly oid?: string;
}

export interface Preflight {
  /** Where large files go: to the store itself in signed parts, or through the hub. */
  readonly transfer: 'tus' | 'direct';
  /** Why none of the files can be taken, for people. */
  readonly refused: string | null;
  /** The tightest limit on what may be stored, when there is one. */
  readonly room?: Room;
  readonly files: readonly Verdict[];
}

/**
 * Says before the first byte what an upload of these files would meet: the right to write, the revision, protection,
 * rules for paths and sizes, files and folders in the way, a guest's limit, what would be replaced, and what need not
 * be sent because the caller may read it already. Nothing changes. Throws repo_not_found only (and unauthenticated): every other refusal is in the answer.
 */
export async function preflight(ctx: Ctx, ref: RepoRef, request: PreflightRequest): Promise<Preflight> {
  await requireRead(ctx, ref);
  if (ctx.principal.kind !== 'user') throw hubError('unauthenticated', 'Sign in to upload');
  const transfer = (await canReachStore(ctx)) ? 'direct' : 'tus';
  let right: UploadRight;
  try {
    right = await requireTarget(ctx, ref, request);
  } catch (error) {
    return { transfer, ...refuseAll(error, request.files) };
  }
  const files = await judge(ctx, right, request);
  const moreBytes = bytesToSend(request.files, files);
  const room = await readRoom(ctx, right.repo.id);
  const isFull = room !== null && moreBytes > 0 && room.usedBytes + moreBytes > room.limitBytes;
  const refused = isFull
    ? quotaExceeded(room, moreBytes).message
    : await refusalOfGuest(ctx, right, moreBytes);
  return { transfer, refused, ...(room && { room }), files };
}

/** Whether browsers may be sent to the store. */
async function canReachStore(ctx: Ctx): Promise<boolean> {
  return (
    ctx.config.LARDER_BROWSER_UPLOADS === 'auto' &&
    (await ctx.store.signPart('blob/00/probe', 'probe', 1, 60)) !== null
  );
}

function reasonOf(error: unknown): string {
  if (isHubError(error) && error.status < 500 && error.code !== 'repo_not_found') return error.message;
  throw error;
}

function refuseAll(error: unknown, files: readonly CandidateFile[]) {
  const reason = reasonOf(error);
  return { refused: reason, files: files.map(({ path }): Verdict => ({ path, how: 'refused', reason })) };
}

/** Why this file alone cannot be taken, or null. */
function refusalOf({ path, sizeBytes, sha256 }: CandidateFile): string | null {
  try {
    checkPath(path);
    checkSize(sizeBytes);
  } catch (error) {
    return reasonOf(error);
  }
  const isWellNamed = sha256 === undefined || parseSha256(sha256) !== undefined;
  return isWellNamed ? null : 'sha256 is not 64 lower-case hex digits';
}

async function judge(
  ctx: Ctx,
  { repo, isGuest }: UploadRight,
  request: PreflightRequest,
): Promise<Verdict[]> {
  const refusals = new Map(request.files.map((file) => [file, refusalOf(file)]));
  const possible = request.files.filter((file) => refusals.get(file) === null);
  const present = await presentAt(ctx, repo, request.revision, possible);
  const clashes = await findClashes(
    ctx,
    repo,
    request.revision,
    possible.map((file) => file.path),
  );
  const stored = await findStored(
    ctx,
    repo.id,
    possible.flatMap(({ sha256 }): Sha256[] => (sha256 === undefined ? [] : [sha256 as Sha256])),
  );
  const sizes = await sizesStored(
    ctx,
    possible.map((file) => file.sizeBytes),
  );
  return request.files.map((file): Verdict => {
    const { path } = file;
    const { mode, oid } = present.get(path) ?? {};
    const reason = refusals.get(file) ?? (mode === 'ignored' ? IGNORED : clashes.get(path));
    if (reason !== undefined) return { path, how: 'refused', reason };
    const replaces = oid === undefined ? {} : { oid };
    if (mode === 'regular') return { path, how: 'inline', ...replaces };
    const found = stored.get(file.sha256 as Sha256);
    const isHere = found?.sizeBytes === file.sizeBytes && (!isGuest || found.repoId === repo.id);
    if (isHere) return { path, how: 'stored', ...replaces };
    return { path, how: 'upload', maybeStored: sizes.has(file.sizeBytes), ...replaces };
  });
}

const IGNORED = 'the .gitignore of this repository leaves it out';

interface Present {
  readonly mode: 'lfs' | 'regular' | 'ignored';
  readonly oid: string | undefined;
}

/** The rule of the Hub's own preupload for each path, and what is there now. */
async function presentAt(
  ctx: Ctx,
  repo: Repo,
  revision: string,
  files: readonly CandidateFile[],
): Promise<Map<string, Present>> {
  const modes = new Map<string, Present>();
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    const some = files
      .slice(at, at + FILES_AT_ONCE)
      .map(({ path, sizeBytes, sample }) => ({ path, sizeBytes, sample: sample ?? Buffer.alloc(0) }));
    const answer = await decideModes(ctx, repo, revision, { files: some });
    for (const { path, uploadMode, shouldIgnore, oid } of answer.files)
      modes.set(path, { mode: shouldIgnore ? 'ignored' : uploadMode, oid });
  }
  return modes;
}

/** Bytes that would come, each content once as far as its hash is known. */
function bytesToSend(files: readonly CandidateFile[], verdicts: readonly Verdict[]): number {
  const seen = new Set<string>();
  let bytes = 0;
  for (const [i, { sha256, sizeBytes }] of files.entries()) {
    if (verdicts[i]?.how !== 'upload' || (sha256 !== undefined && seen.has(sha256))) continue;
    if (sha256 !== undefined) seen.add(sha256);
    bytes += sizeBytes;
  }
  return bytes;
}

/** A guest's files count against what guests may bring. */
async function refusalOfGuest(
  ctx: Ctx,
  { repo, isGuest }: UploadRight,
  moreBytes: number,
): Promise<string | null> {
  if (!isGuest || ctx.principal.kind !== 'user') return null;
  try {
    await refuseTooMuch(ctx.config, ctx.db, { repoId: repo.id, userId: ctx.principal.id, moreBytes });
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

import { hubError, isHubError } from '#lib/base/errors.ts';
import { parseSha256, type Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from '../access.ts';
import { checkPath } from '../check-path.ts';
import { MAX_PREUPLOAD_FILES, type PreuploadRequest, preupload } from '../preupload.ts';
import { type Room, readRoom } from '../storage/require-room.ts';
import { requireRoomFor } from '../storage/require-room-for.ts';
import type { RepoRef } from '../types.ts';
import { findStored, sizesStored } from './find-stored.ts';
import { requireTarget } from './require-target.ts';
import { refuseTooMuch, type UploadRight } from './require-upload.ts';
import { checkSize } from './tus/create-upload.ts';

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
}

export interface Preflight {
  /** Where large files go: to the store itself in signed parts, or through the hub. */
  readonly transfer: 'tus' | 'direct';
  /** Why none of the files can be taken, for people. */
  readonly refused: string | null;
  /** The limit that leaves the least room, if there is one. */
  readonly room?: Room;
  readonly files: readonly Verdict[];
}

/**
 * Says before the first byte what an upload of these files would meet: the right to write, the revision, protection,
 * rules for paths and sizes, a guest's limit, quotas, and what need not be sent because the caller may read it already.
 * Nothing changes. Throws repo_not_found only (and unauthenticated): every other refusal is in the answer.
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
  const files = await judge(ctx, ref, right, request);
  const refused =
    (await refusalOfGuest(ctx, right, request.files, files)) ??
    (await refusalOfQuota(ctx, right, request.files, files));
  const room = right.isGuest ? null : await readRoom(ctx, right.repo.id);
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
  ref: RepoRef,
  { repo, isGuest }: UploadRight,
  request: PreflightRequest,
): Promise<Verdict[]> {
  const refusals = new Map(request.files.map((file) => [file, refusalOf(file)]));
  const possible = request.files.filter((file) => refusals.get(file) === null);
  const modes = await modesOf(ctx, ref, request, possible);
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
    const reason = refusals.get(file) ?? (modes.get(path) === 'ignored' ? IGNORED : null);
    if (reason !== null) return { path, how: 'refused', reason };
    if (modes.get(path) === 'regular') return { path, how: 'inline' };
    const found = stored.get(file.sha256 as Sha256);
    const isHere = found?.sizeBytes === file.sizeBytes && (!isGuest || found.repoId === repo.id);
    return isHere ? { path, how: 'stored' } : { path, how: 'upload', maybeStored: sizes.has(file.sizeBytes) };
  });
}

const IGNORED = 'the .gitignore of this repository leaves it out';

/** What the Hub's own preupload says of each path: the rule is in one place. */
async function modesOf(
  ctx: Ctx,
  ref: RepoRef,
  { revision, createPr }: PreflightRequest,
  files: readonly CandidateFile[],
): Promise<Map<string, 'lfs' | 'regular' | 'ignored'>> {
  const modes = new Map<string, 'lfs' | 'regular' | 'ignored'>();
  for (let at = 0; at < files.length; at += MAX_PREUPLOAD_FILES) {
    const some = files
      .slice(at, at + MAX_PREUPLOAD_FILES)
      .map(({ path, sizeBytes, sample }): PreuploadRequest['files'][number] => ({
        path,
        sizeBytes,
        sample: sample ?? Buffer.alloc(0),
      }));
    const answer = await preupload(ctx, ref, revision, {
      files: some,
      opensPull: createPr,
      ignoresRoom: true,
    });
    for (const { path, uploadMode, shouldIgnore } of answer.files)
      modes.set(path, shouldIgnore ? 'ignored' : uploadMode);
  }
  return modes;
}

/** What must be sent or linked needs room, but for what may be here already. */
async function refusalOfQuota(
  ctx: Ctx,
  { repo }: UploadRight,
  files: readonly CandidateFile[],
  verdicts: readonly Verdict[],
): Promise<string | null> {
  const sizes = files.flatMap((file, i) =>
    verdicts[i]?.how === 'upload' || verdicts[i]?.how === 'stored' ? [file.sizeBytes] : [],
  );
  try {
    await requireRoomFor(ctx, repo.id, sizes);
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

/** A guest's files count against what guests may bring. */
async function refusalOfGuest(
  ctx: Ctx,
  { repo, isGuest }: UploadRight,
  files: readonly CandidateFile[],
  verdicts: readonly Verdict[],
): Promise<string | null> {
  if (!isGuest || ctx.principal.kind !== 'user') return null;
  const moreBytes = files.reduce(
    (sum, file, i) => sum + (verdicts[i]?.how === 'upload' ? file.sizeBytes : 0),
    0,
  );
  try {
    await refuseTooMuch(ctx.config, ctx.db, { repoId: repo.id, userId: ctx.principal.id, moreBytes });
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

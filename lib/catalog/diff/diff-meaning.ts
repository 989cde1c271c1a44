import { hubError, isHubError } from '#lib/base/errors.ts';
import { type Json, toJson } from '#lib/base/json.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { type FilePaths, findChange } from '#lib/repos/diff/find-change.ts';
import type { FileSide, Range } from '#lib/repos/diff/types.ts';
import { findFiles } from '#lib/repos/files/find-files.ts';
import { parseFrontMatter } from '#lib/repos/front-matter.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import type { Repo, RepoRef } from '#lib/repos/types.ts';
import { readRange } from '../read-range.ts';
import { diffValues, type ValueDiff } from './diff-values.ts';
import type { VocabularyDiff } from './diff-vocabulary.ts';
import { meaningKind } from './meaning-kind.ts';
import { inVocabularyThread } from './vocabulary-threads.ts';

/** How a file differs in what it means. */
export type MeaningDiff =
  | ({ readonly kind: 'card'; readonly isBodyChanged: boolean } & ValueDiff)
  | ({ readonly kind: 'config' } & ValueDiff)
  | ({ readonly kind: 'vocabulary' } & VocabularyDiff)
  /** It is not what its name says, too large, or took too long; `reason` says which. */
  | { readonly kind: 'unreadable'; readonly reason: string };

const MAX_CONFIG_BYTES = 1024 * 1024;
const MAX_VOCABULARY_BYTES = 50_000_000;
const LIMITS = { maxDepth: 40, maxNodes: 100_000 };

async function readSide(
  ctx: Ctx,
  repo: Repo,
  side: FileSide | null,
  maxBytes: number,
): Promise<Buffer | null> {
  if (side === null) return null;
  if (side.sizeBytes > maxBytes)
    throw hubError('invalid_object', `it is larger than the limit of ${maxBytes} bytes`);
  if (side.lfs === null) return readBlob(ctx.db, repo.id, side.oid);
  const file = (await findFiles(ctx.db, repo.id, [side.lfs.sha256])).get(side.lfs.sha256);
  if (file === undefined) throw hubError('invalid_object', 'its bytes are not stored here');
  return file.sizeBytes === 0 ? Buffer.alloc(0) : readRange(ctx, file, ctx.signal)(0, file.sizeBytes - 1);
}

function jsonOf(bytes: Buffer | null): Json {
  if (bytes === null || bytes.length === 0) return {};
  try {
    return toJson(JSON.parse(bytes.toString('utf8')), LIMITS);
  } catch (error) {
    if (error instanceof SyntaxError) throw hubError('invalid_object', `it is not JSON: ${error.message}`);
    if (error instanceof RangeError)
      throw hubError('invalid_object', `it is too intricate: ${error.message}`);
    throw error;
  }
}

function diffCards(before: Buffer | null, after: Buffer | null): MeaningDiff {
  const [old, now] = [before, after].map((bytes) => parseFrontMatter(bytes?.toString('utf8') ?? ''));
  const problem = now?.errors[0] ?? old?.errors[0];
  if (problem !== undefined) return { kind: 'unreadable', reason: problem };
  return {
    kind: 'card',
    isBodyChanged: old?.body.trim() !== now?.body.trim(),
    ...diffValues(old?.data ?? {}, now?.data ?? {}),
  };
}

async function diffVocabularies(
  path: string,
  before: Buffer | null,
  after: Buffer | null,
): Promise<MeaningDiff> {
  const answer = await inVocabularyThread({ path, before, after });
  if (answer === null) return { kind: 'unreadable', reason: 'comparing it took too long or too much memory' };
  return 'diff' in answer
    ? { kind: 'vocabulary', ...answer.diff }
    : { kind: 'unreadable', reason: answer.invalid };
}

/**
 * How a card, configuration or vocabulary differs between two revisions, by what it means and not by lines. Whatever
 * the file is made of, the answer comes in bounded time and memory; what cannot be read is `unreadable` with the
 * reason. Throws repo_not_found, revision_not_found, entry_not_found, and invalid_input for a file that has no such
 * meaning.
 */
export async function diffMeaning(
  ctx: Ctx,
  ref: RepoRef,
  range: Range,
  paths: FilePaths,
): Promise<MeaningDiff> {
  const { repo, file } = await findChange(ctx, ref, range, paths);
  const kind = meaningKind(file.path);
  if (kind === null) throw hubError('invalid_input', 'this file is compared by lines only: use diff-file');
  const limit = kind === 'vocabulary' ? MAX_VOCABULARY_BYTES : MAX_CONFIG_BYTES;
  try {
    const [before, after] = await Promise.all([
      readSide(ctx, repo, file.before, limit),
      readSide(ctx, repo, file.after, limit),
    ]);
    if (kind === 'card') return diffCards(before, after);
    if (kind === 'config') return { kind, ...diffValues(jsonOf(before), jsonOf(after)) };
    return await diffVocabularies(file.path, before, after);
  } catch (error) {
    if (isHubError(error) && error.code === 'invalid_object')
      return { kind: 'unreadable', reason: error.message };
    throw error;
  }
}

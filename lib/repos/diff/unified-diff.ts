import type { Db } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { encodeName, MODE } from '../git/tree.ts';
import { diffText } from './diff-text.ts';
import { inDiffThread } from './diff-threads.ts';
import { formatHunks } from './format-hunks.ts';
import { listChanges } from './list-changes.ts';
import { quotePath } from './quote-path.ts';
import { readBlobs } from './read-blobs.ts';
import { isBinary } from './read-text.ts';
import type { ChangedFile, FileSide, ResolvedRange } from './types.ts';

const MAX_FILES = 100_000;
/** Files whose blobs are read in one query, and their bytes. */
const BATCH = 50;
const BATCH_BYTES = 16 * 1024 * 1024;
/** What a thread gave up is written as one block up to this size; more of it is called binary. */
const MAX_BLOCK_BYTES = 2 * 1024 * 1024;
const NONE = '0'.repeat(40);

type Change = Pick<ChangedFile, 'path' | 'oldPath' | 'before' | 'after' | 'similarity'>;

const quoted = (prefix: string, path: string) =>
  quotePath(Buffer.concat([Buffer.from(prefix), encodeName(path)]));
const modeText = (mode: number) => mode.toString(8).padStart(6, '0');
const typeOf = (side: FileSide) => side.mode & 0o170000;
/** A name with a space is ended by a tab, so that tools do not take what follows for a part of it. */
const fileLine = (mark: string, name: string) => `${mark} ${name}${name.includes(' ') ? '\t' : ''}\n`;

/** A file that became a symlink or submodule (or back) is one removed and one added: no patch tool does it otherwise. */
function parted(change: Change): Change[] {
  const { before, after } = change;
  if (before === null || after === null || typeOf(before) === typeOf(after)) return [change];
  const alone = { path: change.path, oldPath: null, similarity: null };
  return [
    { ...alone, before, after: null },
    { ...alone, before: null, after },
  ];
}

function headOf({ path, oldPath, before, after, similarity }: Change): string {
  const lines = [`diff --git ${quoted('a/', oldPath ?? path)} ${quoted('b/', path)}`];
  if (before === null && after !== null) lines.push(`new file mode ${modeText(after.mode)}`);
  else if (after === null && before !== null) lines.push(`deleted file mode ${modeText(before.mode)}`);
  else if (before !== null && after !== null && before.mode !== after.mode)
    lines.push(`old mode ${modeText(before.mode)}`, `new mode ${modeText(after.mode)}`);
  if (oldPath !== null)
    lines.push(
      `similarity index ${similarity ?? 100}%`,
      `rename from ${quoted('', oldPath)}`,
      `rename to ${quoted('', path)}`,
    );
  const [old, now] = [before?.oid ?? NONE, after?.oid ?? NONE];
  const sameMode = before?.mode === after?.mode ? ` ${modeText(before?.mode ?? 0)}` : '';
  if (old !== now) lines.push(`index ${old}..${now}${sameMode}`);
  return `${lines.join('\n')}\n`;
}

type Contents = ReadonlyMap<string, Buffer>;

/** What git compares for one side: a blob, or for a submodule the line that stands for its commit. */
function contentOf(side: FileSide | null, contents: Contents): Buffer {
  if (side === null) return Buffer.alloc(0);
  if (side.mode === MODE.submodule) return Buffer.from(`Subproject commit ${side.oid}\n`);
  return contents.get(side.oid) as Buffer;
}

/** The hunks of one change in bytes; '' when only mode or path changed. */
async function bodyOf(change: Change, contents: Contents): Promise<string> {
  const { path, oldPath, before, after } = change;
  if (before?.oid === after?.oid) return '';
  const [old, now] = [contentOf(before, contents), contentOf(after, contents)];
  if (old.length === 0 && now.length === 0) return '';
  const [a, b] = [
    before === null ? '/dev/null' : quoted('a/', oldPath ?? path),
    after === null ? '/dev/null' : quoted('b/', path),
  ];
  const binary = `Binary files ${a} and ${b} differ\n`;
  if (isBinary(old) || isBinary(now)) return binary;
  // one character a byte: what comes out has the bytes that went in, whatever their encoding
  const [left, right] = [old.toString('latin1'), now.toString('latin1')];
  const answer = await inDiffThread({ kind: 'unified', before: left, after: right });
  if (answer === null && old.length + now.length > MAX_BLOCK_BYTES) return binary;
  const block = { context: 0, timeoutMs: 0, withRanges: false };
  const hunks = answer?.text ?? formatHunks(diffText(left, right, block).hunks);
  return `${fileLine('---', a)}${fileLine('+++', b)}${hunks}`;
}

const blobBytes = (side: FileSide | null) => (side?.lfs ? 200 : (side?.sizeBytes ?? 0));

/** Changes in batches that are small enough to be held. */
function* batches(changes: readonly Change[]): Generator<Change[]> {
  let batch: Change[] = [];
  let bytes = 0;
  for (const change of changes) {
    const size = blobBytes(change.before) + blobBytes(change.after);
    if (batch.length > 0 && (batch.length === BATCH || bytes + size > BATCH_BYTES)) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(change);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

async function readContents(db: Db, repoId: RepoId, changes: readonly Change[]): Promise<Contents> {
  const sides = changes
    .filter((change) => change.before?.oid !== change.after?.oid)
    .flatMap((change) => [change.before, change.after]);
  const oids = sides.flatMap((side) => (side === null || side.mode === MODE.submodule ? [] : [side.oid]));
  return readBlobs(db, repoId, oids);
}

/**
 * The whole difference as git writes it (`git diff --full-index -M`), file by file: applied to the old tree by
 * `git apply` it gives the new one, but for binary files, of which it says only that they differ. A large file is
 * there as its pointer, which tells both sizes. Holds one batch of files at a time. Throws too_large, before the first
 * byte, when more than 100,000 files differ.
 */
export async function* unifiedDiff(
  ctx: { readonly db: Db; readonly signal?: AbortSignal },
  range: ResolvedRange,
): AsyncGenerator<Buffer> {
  const { files, isComplete } = await listChanges(ctx.db, range, MAX_FILES);
  if (!isComplete)
    throw hubError('too_large', `more than ${MAX_FILES} files differ: compare revisions that are closer`);
  for (const batch of batches(files.flatMap(parted))) {
    const contents = await readContents(ctx.db, range.repo.id, batch);
    for (const change of batch) {
      ctx.signal?.throwIfAborted();
      yield Buffer.from(headOf(change) + (await bodyOf(change, contents)), 'latin1');
    }
  }
}

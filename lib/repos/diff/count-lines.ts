import type { Db } from '#lib/base/db.ts';
import type { RepoId } from '#lib/base/ids.ts';
import { MODE } from '../git/tree.ts';
import { inDiffThread } from './diff-threads.ts';
import { readBlobs } from './read-blobs.ts';
import { readText } from './read-text.ts';
import { MAX_TEXT_BYTES } from './text-limits.ts';
import type { ChangedFile, FileSide } from './types.ts';

const MAX_FILES = 300;
const MAX_TOTAL_BYTES = 8 * 1024 * 1024;
/** Pairs that a thread gets at a time. */
const BATCH = 25;

const isSmallText = (side: FileSide | null) =>
  side === null || (side.lfs === null && side.mode !== MODE.submodule && side.sizeBytes <= MAX_TEXT_BYTES);

/** The files whose lines are counted: the first 300 that can be text, up to 8 MiB together. */
function countable(files: readonly ChangedFile[]): ChangedFile[] {
  let left = MAX_TOTAL_BYTES;
  const chosen: ChangedFile[] = [];
  for (const file of files) {
    const { before, after } = file;
    if (before?.oid === after?.oid || !isSmallText(before) || !isSmallText(after)) continue;
    const bytes = (before?.sizeBytes ?? 0) + (after?.sizeBytes ?? 0);
    if (bytes > left) continue;
    left -= bytes;
    chosen.push(file);
    if (chosen.length === MAX_FILES) break;
  }
  return chosen;
}

/**
 * The files with their lines counted, those that are text and within bounds; the others keep null. Two queries at
 * most for a page of files, and the comparing in a thread.
 */
export async function countLines(
  db: Db,
  repoId: RepoId,
  files: readonly ChangedFile[],
): Promise<ChangedFile[]> {
  const chosen = countable(files);
  const oids = chosen.flatMap((file) => [file.before, file.after]).flatMap((side) => side?.oid ?? []);
  const contents = await readBlobs(db, repoId, oids);
  const textOf = (side: FileSide | null) => (side === null ? '' : readText(contents.get(side.oid) as Buffer));
  const texts = chosen.flatMap((file) => {
    const [before, after] = [textOf(file.before), textOf(file.after)];
    return before === null || after === null ? [] : [{ file, pair: [before, after] as const }];
  });
  const counted = new Map<string, ChangedFile>();
  for (let at = 0; at < texts.length; at += BATCH) {
    const batch = texts.slice(at, at + BATCH);
    const answer = await inDiffThread({ kind: 'count', pairs: batch.map(({ pair }) => pair) });
    answer?.counts.forEach(([additions, deletions], i) => {
      const { file } = batch[i] as (typeof batch)[number];
      counted.set(file.path, { ...file, additions, deletions });
    });
  }
  return files.map((file) => counted.get(file.path) ?? file);
}

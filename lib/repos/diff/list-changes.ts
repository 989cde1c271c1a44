import type { Db } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { readBlobFacts } from '../describe-entries.ts';
import { diffTrees, type TreeChange, type TreeFile } from '../diff-trees.ts';
import type { BlobFacts } from '../git/oid-cache.ts';
import { readTrees } from '../git/read-trees.ts';
import { MODE } from '../git/tree.ts';
import { inDiffThread } from './diff-threads.ts';
import { findMoves, type Rename } from './find-renames.ts';
import { readBlobs } from './read-blobs.ts';
import { readText } from './read-text.ts';
import type { ChangedFile, FileSide, ResolvedRange } from './types.ts';

/** Texts on either side that are looked at for being the same file, edited and moved. */
const MAX_SIMILAR = 50;
const MAX_SIMILAR_BYTES = 64 * 1024;

type Facts = ReadonlyMap<Oid, BlobFacts>;

function sideOf(file: TreeFile | null, facts: Facts): FileSide | null {
  if (file === null) return null;
  const fact = facts.get(file.oid);
  return {
    oid: file.oid,
    mode: file.mode,
    sizeBytes: fact?.lfs?.sizeBytes ?? fact?.sizeBytes ?? 0,
    lfs: fact?.lfs ?? null,
  };
}

/** Small regular texts of the given kind of change, by path; none when there are too many to compare. */
function smallFiles(
  changes: readonly TreeChange[],
  facts: Facts,
  side: 'before' | 'after',
): Map<string, Oid> {
  const other = side === 'before' ? 'after' : 'before';
  const small = changes.flatMap((change): [string, Oid][] => {
    const file = change[side];
    const fact = file === null || change[other] !== null ? undefined : facts.get(file.oid);
    const fits = fact !== undefined && fact.lfs === null && fact.sizeBytes <= MAX_SIMILAR_BYTES;
    return fits && fact.sizeBytes > 0 && file !== null && file.mode !== MODE.symlink
      ? [[change.path, file.oid]]
      : [];
  });
  return new Map(small.length > MAX_SIMILAR ? [] : small);
}

async function findEdited(
  db: Db,
  repoId: RepoId,
  changes: readonly TreeChange[],
  facts: Facts,
): Promise<readonly Rename[]> {
  const [removed, added] = [smallFiles(changes, facts, 'before'), smallFiles(changes, facts, 'after')];
  if (removed.size === 0 || added.size === 0) return [];
  const contents = await readBlobs(db, repoId, [...removed.values(), ...added.values()]);
  const textsOf = (files: ReadonlyMap<string, Oid>) =>
    new Map(
      [...files].flatMap(([path, oid]): [string, string][] => {
        const text = readText(contents.get(oid) as Buffer);
        return text === null ? [] : [[path, text]];
      }),
    );
  const answer = await inDiffThread({ kind: 'similar', removed: textsOf(removed), added: textsOf(added) });
  return answer?.renames ?? [];
}

const withoutCounts = { similarity: null, additions: null, deletions: null, oldPath: null } as const;

function changeOf({ path, before, after }: TreeChange, facts: Facts): ChangedFile {
  const kind =
    before === null ? 'added' : after === null ? 'removed' : before.oid === after.oid ? 'mode' : 'modified';
  return { ...withoutCounts, path, kind, before: sideOf(before, facts), after: sideOf(after, facts) };
}

/** Changes with each rename as one: the added path, knowing where it was. */
function joinRenames(files: readonly ChangedFile[], renames: readonly Rename[]): ChangedFile[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const origin = new Map(renames.map((rename) => [rename.to, rename]));
  const gone = new Set(renames.map((rename) => rename.from));
  return files.flatMap((file): ChangedFile[] => {
    const rename = file.kind === 'added' ? origin.get(file.path) : undefined;
    if (rename !== undefined) {
      const before = byPath.get(rename.from)?.before ?? null;
      return [{ ...file, kind: 'renamed', oldPath: rename.from, before, similarity: rename.similarity }];
    }
    return file.kind === 'removed' && gone.has(file.path) ? [] : [file];
  });
}

/**
 * The files that differ, with sizes and renames: those with the same bytes (of the large file, where it is one), then
 * small texts that are mostly the same. Reads the trees that differ, one query for the facts of all files and one for
 * the small texts; never a large file. Lines are not counted.
 */
export async function listChanges(
  db: Db,
  range: Pick<ResolvedRange, 'repo' | 'fromTree' | 'toTree'>,
  maxFiles: number,
): Promise<{ files: ChangedFile[]; isComplete: boolean }> {
  const { id } = range.repo;
  const reader = (oids: readonly Oid[]) => readTrees(db, id, oids);
  const { changes, isComplete } = await diffTrees(reader, range.fromTree, range.toTree, {
    maxChanges: maxFiles,
  });
  const blobs = changes
    .flatMap((change) => [change.before, change.after])
    .filter((file) => file !== null && file.mode !== MODE.submodule);
  const facts = await readBlobFacts(
    db,
    id,
    blobs.map((file) => (file as TreeFile).oid),
  );
  const moves = findMoves(changes, ({ oid }) => {
    const fact = facts.get(oid);
    return fact === undefined || fact.sizeBytes === 0 ? null : (fact.lfs?.sha256 ?? oid);
  });
  const used = new Set(moves.flatMap(({ from, to }) => [from, to]));
  const rest = changes.filter((change) => !used.has(change.path));
  const edited = await findEdited(db, id, rest, facts);
  const files = changes.map((change) => changeOf(change, facts));
  return { files: joinRenames(files, [...moves, ...edited]), isComplete };
}

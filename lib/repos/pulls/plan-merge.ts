import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Queryable } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { diffTrees } from '../diff-trees.ts';
import { selectBlobFacts } from '../git/db.ts';
import { decodeObject, type EncodedObject, encodeObject, KIND } from '../git/objects.ts';
import { readTrees } from '../git/read-trees.ts';
import { type CommitPlan, planCommit, type StagedOperation } from '../plan-commit.ts';
import { readBlob } from '../read-blob.ts';
import { readRoot } from '../resolve-revision.ts';
import { validateCard } from '../validate-card.ts';
import { mergeAttributes, mergeText } from './merge-text.ts';
import { mergeTrees, type TextMerge, type TreeMerge } from './merge-trees.ts';

/** Files whose lines are merged in one go; a change that touches more of what the base changed too is for people. */
const MAX_TEXT_MERGES = 200;

/** What comes of taking the changes from `base` to `theirs` into `ours`. */
export type MergePlan =
  | { readonly kind: 'clean'; readonly oursRoot: Oid; readonly plan: CommitPlan }
  | { readonly kind: 'conflicts'; readonly paths: readonly string[] };

interface Sides {
  /** Null when the two have no history in common: then nothing was there. */
  readonly base: Oid | null;
  readonly ours: Oid;
  readonly theirs: Oid;
}

type Reading = { readonly db: Ctx['db']; readonly through: Queryable; readonly repoId: RepoId };

/** The merged blob of a file that both sides changed; null when that is for people to do. */
async function mergeBlobs(reading: Reading, text: TextMerge): Promise<EncodedObject | null> {
  const read = (oid: Oid) => readBlob(reading.through, reading.repoId, oid);
  const isAttributes = text.path === '.gitattributes' || text.path.endsWith('/.gitattributes');
  const [base, ours, theirs] = [await read(text.base), await read(text.ours), await read(text.theirs)];
  const merged = (isAttributes ? mergeAttributes : mergeText)(base, ours, theirs);
  if (merged === null) return null;
  if (text.path === 'README.md' && validateCard(merged.toString('utf8')).errors.length > 0) return null;
  return encodeObject(KIND.blob, merged);
}

interface MergedTexts {
  readonly operations: StagedOperation[];
  readonly objects: EncodedObject[];
  readonly conflicts: string[];
}

async function mergeTexts(reading: Reading, texts: readonly TextMerge[]): Promise<MergedTexts> {
  const merged: MergedTexts = { operations: [], objects: [], conflicts: [] };
  if (texts.length > MAX_TEXT_MERGES) return { ...merged, conflicts: texts.map((text) => text.path) };
  const oids = texts.flatMap((text) => [text.base, text.ours, text.theirs]);
  const facts = await selectBlobFacts(reading.through, reading.repoId, oids);
  for (const text of texts) {
    await nextTurn(); // comparing is CPU: let others in between
    // the lines of a pointer mean nothing: two large files are merged by choosing one
    const isLarge = [text.base, text.ours, text.theirs].some((oid) => facts.get(oid)?.lfs !== null);
    const blob = isLarge ? null : await mergeBlobs(reading, text);
    if (blob === null) {
      merged.conflicts.push(text.path);
      continue;
    }
    const { path, mode } = text;
    merged.objects.push(blob);
    merged.operations.push({ kind: 'put', path, oid: blob.oid, mode, isLfs: false });
  }
  return merged;
}

async function treeMergeOf(reading: Reading, sides: Sides): Promise<TreeMerge & { oursRoot: Oid }> {
  const { db, through, repoId } = reading;
  const rootOf = async (oid: Oid | null) => (oid === null ? null : readRoot(db, repoId, oid, through));
  const read = (oids: readonly Oid[]) => readTrees(db, repoId, oids, through);
  const [base, ours, theirs] = [
    await rootOf(sides.base),
    await readRoot(db, repoId, sides.ours, through),
    await rootOf(sides.theirs),
  ];
  const [own, other] = [await diffTrees(read, base, ours), await diffTrees(read, base, theirs)];
  if (!own.isComplete || !other.isComplete)
    throw hubError('invalid_input', 'More files have changed than can be merged here: merge with git');
  return { ...mergeTrees(own.changes, other.changes), oursRoot: ours };
}

/**
 * Plans the merge of three commits as one change of our tree: files, lines of text files that both sides changed,
 * .gitattributes lines for what becomes a large file. Reads through the caller's transaction, if it has one; writes
 * nothing. Conflicts are listed, sorted. Throws invalid_input when more than 100,000 files changed.
 */
export async function planMerge(
  ctx: Pick<Ctx, 'db'>,
  through: Queryable,
  repoId: RepoId,
  sides: Sides,
): Promise<MergePlan> {
  const reading: Reading = { db: ctx.db, through, repoId };
  const merge = await treeMergeOf(reading, sides);
  const texts = await mergeTexts(reading, merge.texts);
  const conflicts = [...new Set([...merge.conflicts, ...texts.conflicts])].sort();
  if (conflicts.length > 0) return { kind: 'conflicts', paths: conflicts };
  const facts = await selectBlobFacts(
    through,
    repoId,
    merge.puts.map((put) => put.oid),
  );
  const fresh = new Map(texts.objects.map((object) => [object.oid, object]));
  const operations: StagedOperation[] = [
    ...merge.deletes.map((path) => ({ kind: 'deleteFile' as const, path })),
    ...merge.puts.map((put) => ({
      kind: 'put' as const,
      ...put,
      isLfs: (facts.get(put.oid)?.lfs ?? null) !== null,
    })),
    ...texts.operations,
  ];
  const source = {
    readTrees: (oids: readonly Oid[]) => readTrees(ctx.db, repoId, oids, through),
    readBlob: async (oid: Oid) => {
      const made = fresh.get(oid);
      return made ? decodeObject(made) : readBlob(through, repoId, oid);
    },
  };
  const plan = await planCommit(source, merge.oursRoot, operations);
  const objects = [...texts.objects, ...plan.objects];
  return { kind: 'clean', oursRoot: merge.oursRoot, plan: { rootOid: plan.rootOid, objects } };
}

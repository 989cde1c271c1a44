import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import { parseCommit, parseTag } from '../git/commit.ts';
import { KIND } from '../git/objects.ts';
import { EMPTY_TREE_OID, MODE, parseTree } from '../git/tree.ts';
import type { CommitToIndex } from '../index-commits.ts';
import { checkTree, inFolder, MAX_OTHER_BYTES } from './check-objects.ts';
import type { ObjectFacts, ObjectReader } from './object-reader.ts';

/** An object that a push brings and that one of its refs reaches. */
export interface NewObject extends ObjectFacts {
  /** One of the places where it stands; of a root tree and of commits empty. */
  readonly path: string;
}

/** What a push brings, as far as its refs reach it. */
export interface NewOfPush {
  readonly objects: ReadonlyMap<Oid, NewObject>;
  readonly commits: readonly CommitToIndex[];
}

/** Kinds and sizes of all that was sent, and of the empty tree, which git knows without being told. */
async function describeSent(reader: ObjectReader, sent: readonly Oid[]): Promise<Map<Oid, ObjectFacts>> {
  const facts = new Map<Oid, ObjectFacts>();
  facts.set(EMPTY_TREE_OID, { oid: EMPTY_TREE_OID, kind: KIND.tree, sizeBytes: 0 });
  for (const own of await reader.describe(sent)) {
    if (own === null) throw new Error('an object of a push cannot be found');
    if (own.kind !== KIND.blob && own.sizeBytes > MAX_OTHER_BYTES)
      throw hubError(
        'invalid_object',
        `object ${own.oid} has ${own.sizeBytes} bytes, more than any folder or commit may`,
      );
    facts.set(own.oid, own);
  }
  return facts;
}

/** Walks commits and tags from `tips`; notes them and what they lead to in `found`. */
async function walkHistory(
  reader: ObjectReader,
  facts: ReadonlyMap<Oid, ObjectFacts>,
  tips: readonly Oid[],
  found: Map<Oid, NewObject>,
): Promise<CommitToIndex[]> {
  const heads = [...facts.values()].filter(({ kind }) => kind === KIND.commit || kind === KIND.tag);
  const sent = new Map<Oid, CommitToIndex>();
  const linksOf = new Map<Oid, readonly Oid[]>();
  for await (const { oid, kind, content } of reader.read(heads.map(({ oid }) => oid))) {
    if (kind === KIND.tag) linksOf.set(oid, [parseTag(content).object]);
    else {
      const commit = parseCommit(content);
      sent.set(oid, { oid, commit, userId: null });
      linksOf.set(oid, [...commit.parents, commit.tree]);
    }
  }
  const commits: CommitToIndex[] = [];
  for (const open = [...tips]; open.length > 0; ) {
    const oid = open.pop() as Oid;
    const own = facts.get(oid);
    if (own === undefined || found.has(oid)) continue;
    found.set(oid, { ...own, path: '' });
    const commit = sent.get(oid);
    if (commit) commits.push(commit);
    open.push(...(linksOf.get(oid) ?? []));
  }
  return commits;
}

/** Walks trees from those in `found`, level by level; checks their names. */
async function walkTrees(
  reader: ObjectReader,
  facts: ReadonlyMap<Oid, ObjectFacts>,
  found: Map<Oid, NewObject>,
): Promise<void> {
  let level = [...found.values()].filter(({ kind }) => kind === KIND.tree);
  while (level.length > 0) {
    const deeper: NewObject[] = [];
    for await (const { oid, content } of reader.read(level.map(({ oid }) => oid))) {
      const folder = found.get(oid)?.path ?? '';
      checkTree(content, folder);
      for (const line of parseTree(content)) {
        const own = line.mode === MODE.submodule ? undefined : facts.get(line.oid);
        if (own === undefined || found.has(own.oid)) continue;
        const object = { ...own, path: inFolder(folder, line.name) };
        found.set(own.oid, object);
        if (own.kind === KIND.tree) deeper.push(object);
      }
    }
    level = deeper;
  }
}

/**
 * What the new tips reach of what was sent. It is all that they need: `git index-pack --strict` has shown that whatever
 * an object of the pack points to is in the pack or in the repo, and what the repo has it has with all that is below.
 * Throws invalid_object, invalid_path.
 */
export async function newOfPush(
  sent: readonly Oid[],
  reader: ObjectReader,
  tips: readonly Oid[],
): Promise<NewOfPush> {
  const objects = new Map<Oid, NewObject>();
  const facts = await describeSent(reader, sent);
  const commits = await walkHistory(reader, facts, tips, objects);
  await walkTrees(reader, facts, objects);
  return { objects, commits };
}

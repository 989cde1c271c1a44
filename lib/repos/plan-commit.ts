import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import { type FilterRules, lfsLine, parseAttributes } from './git/attributes.ts';
import { type EncodedObject, encodeObject, KIND } from './git/objects.ts';
import { type TreeReader, WorkingTree } from './working-tree.ts';

/** An operation whose path is checked and whose blob is made. */
export type StagedOperation =
  | {
      readonly kind: 'put';
      readonly path: string;
      readonly oid: Oid;
      readonly isLfs: boolean;
      /** Given where the operation comes from another tree; else an executable stays one. */
      readonly mode?: number;
      /** Kept for `.gitattributes` files only: the plan reads them. */
      readonly attributes?: string;
    }
  | { readonly kind: 'deleteFile' | 'deleteFolder' | 'deleteEntry'; readonly path: string };

/** What the plan reads of the base. */
export interface CommitSource {
  readonly readTrees: TreeReader;
  readonly readBlob: (oid: Oid) => Promise<Buffer>;
}

export interface CommitPlan {
  /** Equal to the base's root when the operations change nothing. */
  readonly rootOid: Oid;
  /** Trees (and a `.gitattributes`) that the base did not have. Blobs of the operations are not among them. */
  readonly objects: EncodedObject[];
}

const ATTRIBUTES = '.gitattributes';

function foldersAbove(path: string): string[] {
  const names = path.split('/');
  return names.map((_, depth) => names.slice(0, depth).join('/'));
}

const inFolder = (folder: string, name: string) => (folder === '' ? name : `${folder}/${name}`);

/** Paths among `paths` that no .gitattributes of the new tree keeps as LFS; git's rule: the deepest file that speaks decides. */
async function untracked(
  tree: WorkingTree,
  paths: readonly string[],
  contents: ReadonlyMap<Oid, string>,
  source: CommitSource,
): Promise<string[]> {
  const rules = new Map<string, FilterRules | null>();
  for (const folder of new Set(paths.flatMap(foldersAbove))) {
    const node = tree.find(inFolder(folder, ATTRIBUTES));
    if (node?.kind !== 'leaf') continue;
    const text = contents.get(node.oid) ?? (await source.readBlob(node.oid)).toString('utf8');
    rules.set(folder, parseAttributes(text));
  }
  return paths.filter((path) => {
    for (const folder of foldersAbove(path).toReversed()) {
      const below = folder === '' ? path : path.slice(folder.length + 1);
      const filter = rules.get(folder)?.filterOf(below);
      if (filter !== undefined) return filter !== 'lfs';
    }
    return true;
  });
}

/** Appends a line to the root .gitattributes for every LFS file that is not tracked yet. */
async function trackLfs(
  tree: WorkingTree,
  operations: readonly StagedOperation[],
  source: CommitSource,
  objects: EncodedObject[],
): Promise<void> {
  const large = new Map<string, Oid>();
  const contents = new Map<Oid, string>();
  for (const operation of operations) {
    if (operation.kind !== 'put') continue;
    if (operation.isLfs) large.set(operation.path, operation.oid);
    if (operation.attributes !== undefined) contents.set(operation.oid, operation.attributes);
  }
  const kept = [...large].filter(([path, oid]) => {
    const node = tree.find(path);
    return node?.kind === 'leaf' && node.oid === oid;
  });
  const paths = await untracked(
    tree,
    kept.map(([path]) => path),
    contents,
    source,
  );
  if (paths.length === 0) return;
  const node = tree.find(ATTRIBUTES);
  let text = '';
  if (node?.kind === 'leaf')
    text = contents.get(node.oid) ?? (await source.readBlob(node.oid)).toString('utf8');
  if (text !== '' && !text.endsWith('\n')) text += '\n';
  text += paths.map((path) => `${lfsLine(path)}\n`).join('');
  const blob = await encodeObject(KIND.blob, Buffer.from(text));
  objects.push(blob);
  tree.put(ATTRIBUTES, blob.oid);
}

/**
 * Applies operations in their order to the tree `baseRoot`, as git's index would: later ones see what earlier
 * ones did. Pure but for reading the base through `source`: one read per level of touched folders. Throws
 * invalid_path where a file and a folder would share a name, entry_not_found for deleting what is not there.
 */
export async function planCommit(
  source: CommitSource,
  baseRoot: Oid,
  operations: readonly StagedOperation[],
): Promise<CommitPlan> {
  const paths = operations.map((operation) => operation.path);
  const tree = await WorkingTree.open(baseRoot, [...new Set([...paths, ATTRIBUTES])], source.readTrees);
  for (const operation of operations) {
    if (operation.kind === 'put') tree.put(operation.path, operation.oid, operation.mode);
    else if (!tree.remove(operation.path, operation.kind === 'deleteFolder' ? 'folder' : 'any'))
      throw hubError(
        'entry_not_found',
        `A ${operation.kind === 'deleteFolder' ? 'folder' : 'file'} with this name doesn't exist: ${JSON.stringify(operation.path)}`,
      );
  }
  const objects: EncodedObject[] = [];
  await trackLfs(tree, operations, source, objects);
  return { rootOid: await tree.write(objects), objects };
}

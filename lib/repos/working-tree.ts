import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import { type EncodedObject, encodeObject, KIND } from './git/objects.ts';
import type { CachedTree } from './git/oid-cache.ts';
import { EMPTY_TREE_OID, encodeTree, MODE, type TreeLine } from './git/tree.ts';

/** Listings, git and clients all become slow beyond this; the Hub advises the same. */
const MAX_FOLDER_ENTRIES = 10_000;

interface Leaf {
  readonly kind: 'leaf';
  readonly mode: number;
  readonly oid: Oid;
}

/** `children` is null until loaded; `oid` is what the base had, null for a new folder. */
interface Folder {
  readonly kind: 'folder';
  readonly oid: Oid | null;
  children: Map<string, Leaf | Folder> | null;
  changed: boolean;
}

const newFolder = (oid: Oid | null): Folder => ({
  kind: 'folder',
  oid,
  children: oid === null ? new Map() : null,
  changed: false,
});

/** How trees are read: all of a level at once. Throws when one cannot be read. */
export type TreeReader = (oids: readonly Oid[]) => Promise<Map<Oid, CachedTree>>;

function loaded(folder: Folder): Map<string, Leaf | Folder> {
  if (folder.children === null) throw new Error('a folder was touched that had not been loaded');
  return folder.children;
}

function fill(folder: Folder, tree: CachedTree): void {
  folder.children = new Map(
    tree.lines.map((line): [string, Leaf | Folder] => [
      line.name,
      line.mode === MODE.directory ? newFolder(line.oid) : { kind: 'leaf', mode: line.mode, oid: line.oid },
    ]),
  );
}

/**
 * A commit's tree while operations are applied to it, in memory and only as far as they reach. Behaves as git's
 * index does: folders exist through their files, a file and a folder cannot share a name.
 */
export class WorkingTree {
  readonly #root: Folder;

  private constructor(root: Folder) {
    this.#root = root;
  }

  /** Reads the folders that lie above `paths`: one call of `read` per level. */
  static async open(rootOid: Oid, paths: readonly string[], read: TreeReader): Promise<WorkingTree> {
    const root = newFolder(rootOid);
    let level = new Map<Folder, string[][]>([[root, paths.map((path) => path.split('/'))]]);
    while (level.size > 0) {
      const trees = await read([...level.keys()].flatMap((folder) => folder.oid ?? []));
      const next = new Map<Folder, string[][]>();
      for (const [folder, below] of level) {
        const tree = folder.oid === null ? undefined : trees.get(folder.oid);
        if (tree === undefined) throw new Error(`tree ${folder.oid} is missing`);
        fill(folder, tree);
        for (const [name, ...rest] of below) {
          const child = loaded(folder).get(name ?? '');
          if (child?.kind !== 'folder' || rest.length === 0) continue;
          const queue = next.get(child) ?? [];
          queue.push(rest);
          next.set(child, queue);
        }
      }
      level = next;
    }
    return new WorkingTree(root);
  }

  /** What is at `path`: only for paths whose folders were loaded. */
  find(path: string): Leaf | Folder | undefined {
    let node: Leaf | Folder | undefined = this.#root;
    for (const name of path.split('/')) {
      if (node?.kind !== 'folder') return undefined;
      node = loaded(node).get(name);
    }
    return node;
  }

  /**
   * Adds or replaces a file. Without a mode an executable stays executable and all else is a plain file. Throws
   * invalid_path where a folder or a file is in the way.
   */
  put(path: string, oid: Oid, newMode?: number): void {
    const names = path.split('/');
    const last = names.pop() ?? '';
    let folder = this.#root;
    for (const [depth, name] of names.entries()) {
      folder.changed = true;
      let child = loaded(folder).get(name);
      if (child?.kind === 'leaf') {
        const file = names.slice(0, depth + 1).join('/');
        throw hubError(
          'invalid_path',
          `Cannot add ${quote(path)}: ${quote(file)} is a file. Delete it first.`,
        );
      }
      if (child === undefined) {
        child = newFolder(null);
        loaded(folder).set(name, child);
      }
      folder = child;
    }
    folder.changed = true;
    const old = loaded(folder).get(last);
    if (old?.kind === 'folder')
      throw hubError('invalid_path', `Cannot add ${quote(path)}: it is a folder. Delete the folder first.`);
    const mode = newMode ?? (old?.mode === MODE.executable ? MODE.executable : MODE.file);
    loaded(folder).set(last, { kind: 'leaf', mode, oid });
  }

  /** Throws invalid_input when the folder that `path` lies in holds more entries than can be written. */
  checkRoom(path: string): void {
    const above = path.slice(0, Math.max(0, path.lastIndexOf('/')));
    const folder = above === '' ? this.#root : this.find(above);
    if (folder?.kind === 'folder') refuseCrowd(loaded(folder), above);
  }

  /** Removes what is at `path` and folders that become empty by it. False when it is not there or not of `kind`. */
  remove(path: string, kind: 'folder' | 'any'): boolean {
    const target = this.find(path);
    if (target === undefined || (kind === 'folder' && target.kind !== 'folder')) return false;
    const names = path.split('/');
    const above: Folder[] = [this.#root];
    for (const name of names.slice(0, -1)) {
      const child = loaded(above.at(-1) as Folder).get(name);
      if (child?.kind === 'folder') above.push(child);
    }
    for (let depth = names.length - 1; depth >= 0; depth--) {
      const folder = above[depth] as Folder;
      folder.changed = true;
      if (depth === names.length - 1 || isEmpty(loaded(folder).get(names[depth] as string)))
        loaded(folder).delete(names[depth] as string);
    }
    return true;
  }

  /** The new root, adding to `objects` the trees that the base did not have. Throws invalid_input for a folder of more than 10,000 entries. */
  async write(objects: EncodedObject[]): Promise<Oid> {
    return writeFolder(this.#root, '', objects);
  }
}

const quote = (path: string) => JSON.stringify(path);

const isEmpty = (node: Leaf | Folder | undefined) => node?.kind === 'folder' && node.children?.size === 0;

function refuseCrowd(children: ReadonlyMap<string, unknown>, path: string): void {
  if (children.size > MAX_FOLDER_ENTRIES)
    throw hubError(
      'invalid_input',
      `folder ${quote(path || '/')} would hold ${children.size} entries; at most ${MAX_FOLDER_ENTRIES} are allowed. Spread them over subfolders.`,
    );
}

async function writeFolder(folder: Folder, path: string, objects: EncodedObject[]): Promise<Oid> {
  if (!folder.changed && folder.oid !== null) return folder.oid;
  const children = loaded(folder);
  refuseCrowd(children, path);
  if (children.size === 0 && path === '') {
    objects.push(await encodeObject(KIND.tree, Buffer.alloc(0)));
    return EMPTY_TREE_OID;
  }
  const lines: TreeLine[] = [];
  for (const [name, child] of children) {
    if (child.kind === 'leaf') lines.push({ name, mode: child.mode, oid: child.oid });
    else {
      const oid = await writeFolder(child, path === '' ? name : `${path}/${name}`, objects);
      lines.push({ name, mode: MODE.directory, oid });
    }
  }
  const tree = await encodeObject(KIND.tree, encodeTree(lines));
  if (tree.oid !== folder.oid) objects.push(tree);
  return tree.oid;
}

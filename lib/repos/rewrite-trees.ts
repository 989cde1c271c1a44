import type { Queryable } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { selectObjects } from './git/db.ts';
import { decodeObject, type EncodedObject, encodeObject, KIND } from './git/objects.ts';
import { EMPTY_TREE_OID, encodeTree, MODE, parseTree, type TreeLine } from './git/tree.ts';

const TREES_AT_ONCE = 256;
const isFolder = (line: TreeLine) => line.mode === MODE.directory;

/**
 * Takes blobs out of trees. Remembers every tree it has judged, so that thousands of commits which share their trees
 * cost each distinct tree once; memory is two oids per tree.
 */
export class TreeRewriter {
  /** What became of a tree; null: nothing is left of it. */
  readonly #done = new Map<Oid, Oid | null>([[EMPTY_TREE_OID, EMPTY_TREE_OID]]);
  /** Trees that may change, until they are judged: those with subfolders, or with a blob that goes. */
  readonly #open = new Map<Oid, TreeLine[]>();
  readonly #db: Queryable;
  readonly #repoId: RepoId;
  readonly #drop: ReadonlySet<Oid>;

  constructor(db: Queryable, repoId: RepoId, drop: ReadonlySet<Oid>) {
    this.#db = db;
    this.#repoId = repoId;
    this.#drop = drop;
  }

  /** Judges these roots; returns the trees that did not exist before. One query per 256 trees not seen before. */
  async rewrite(roots: readonly Oid[]): Promise<EncodedObject[]> {
    let level = this.#unseen(roots);
    while (level.length > 0) {
      const below = new Set<Oid>();
      for (let at = 0; at < level.length; at += TREES_AT_ONCE)
        await this.#read(level.slice(at, at + TREES_AT_ONCE), below);
      level = this.#unseen(below);
    }
    const made: EncodedObject[] = [];
    for (const root of roots) await this.#judge(root, made);
    if (roots.some((root) => this.#done.get(root) === null))
      made.push(await encodeObject(KIND.tree, Buffer.alloc(0)));
    return made;
  }

  /** The new root in place of one that was judged. */
  of(root: Oid): Oid {
    return this.#done.get(root) ?? EMPTY_TREE_OID;
  }

  #unseen(oids: Iterable<Oid>): Oid[] {
    return [...new Set(oids)].filter((oid) => !this.#done.has(oid) && !this.#open.has(oid));
  }

  async #read(oids: readonly Oid[], below: Set<Oid>): Promise<void> {
    const objects = await selectObjects(this.#db, this.#repoId, oids);
    for (const oid of oids) {
      const object = objects.get(oid);
      if (object?.kind !== KIND.tree) throw new Error(`tree ${oid} of repo ${this.#repoId} is missing`);
      const lines = parseTree(await decodeObject(object));
      const folders = lines.filter(isFolder);
      for (const folder of folders) below.add(folder.oid);
      if (folders.length > 0 || lines.some((line) => this.#drop.has(line.oid))) this.#open.set(oid, lines);
      else this.#done.set(oid, oid);
    }
  }

  /** As deep as the folders are: at most some hundred levels. */
  async #judge(oid: Oid, made: EncodedObject[]): Promise<Oid | null> {
    const known = this.#done.get(oid);
    if (known !== undefined) return known;
    const lines = this.#open.get(oid);
    if (lines === undefined) throw new Error(`tree ${oid} was not read`);
    const left: TreeLine[] = [];
    for (const line of lines) {
      if (!isFolder(line)) {
        if (!this.#drop.has(line.oid)) left.push(line);
        continue;
      }
      const now = await this.#judge(line.oid, made);
      if (now !== null) left.push({ ...line, oid: now });
    }
    this.#open.delete(oid);
    const isSame = left.length === lines.length && left.every((line, i) => line.oid === lines[i]?.oid);
    let now: Oid | null = isSame ? oid : null;
    if (!isSame && left.length > 0) {
      const tree = await encodeObject(KIND.tree, encodeTree(left));
      made.push(tree);
      now = tree.oid;
    }
    this.#done.set(oid, now);
    return now;
  }
}

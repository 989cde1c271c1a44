import { setImmediate } from 'node:timers/promises';
import { hexOf, type Oid } from '#lib/base/ids.ts';
import { parseCommit, parseTag } from '../git/commit.ts';
import { decodeObject, KIND, type StoredGitObject } from '../git/objects.ts';
import { EMPTY_TREE_OID, MODE } from '../git/tree.ts';
import type { PackRow } from './write-pack.ts';

/** Beyond this git walks faster than we do. */
const MAX_LINKED = 2000;
const MAX_BYTES = 4 * 1024 * 1024;
const YIELD_EVERY = 100;
const SUBMODULE = MODE.submodule.toString(8);

/** Looks at rows on their way into a pack, and then knows for a small repo whether refs reach all of them. */
export class ReachCheck {
  readonly #linked = new Map<Oid, StoredGitObject>();
  readonly #blobs = new Set<Oid>();
  #bytes = 0;
  #isLarge = false;

  /** Passes rows on. Keeps copies of commits, trees and tags, at most 4 MiB. */
  async *watch(batches: AsyncIterable<readonly PackRow[]>): AsyncGenerator<readonly PackRow[]> {
    for await (const rows of batches) {
      if (!this.#isLarge) for (const row of rows) this.#note(row);
      yield rows;
    }
  }

  #note({ oid, kind, sizeBytes, data }: PackRow): void {
    const id = hexOf<Oid>(oid);
    if (kind === KIND.blob) {
      this.#blobs.add(id);
      return;
    }
    this.#linked.set(id, { oid: id, kind, sizeBytes, data: Buffer.from(data) });
    this.#bytes += data.length;
    this.#isLarge ||= this.#linked.size > MAX_LINKED || this.#bytes > MAX_BYTES;
  }

  /** Whether `tips` reach every row that passed. False as well when there were too many to say. */
  async isAllReachable(tips: Iterable<Oid>): Promise<boolean> {
    if (this.#isLarge) return false;
    let steps = 0;
    const open = [...tips];
    for (let oid = open.pop(); oid !== undefined; oid = open.pop()) {
      this.#blobs.delete(oid);
      const object = this.#linked.get(oid);
      if (object === undefined) continue;
      this.#linked.delete(oid);
      open.push(...(await linksOf(object)));
      if (++steps % YIELD_EVERY === 0) await setImmediate();
    }
    this.#linked.delete(EMPTY_TREE_OID); // everybody has it
    return this.#linked.size === 0 && this.#blobs.size === 0;
  }
}

async function linksOf(object: StoredGitObject): Promise<Oid[]> {
  const content = await decodeObject(object);
  if (object.kind === KIND.tag) return [parseTag(content).object];
  if (object.kind === KIND.commit) {
    const { tree, parents } = parseCommit(content);
    return [tree, ...parents];
  }
  return entriesOf(content);
}

/** Oids in a tree but for those of submodules; names, which cost most of parseTree, are passed over. */
function entriesOf(content: Buffer): Oid[] {
  const oids: Oid[] = [];
  for (let at = 0; at < content.length; ) {
    const zero = content.indexOf(0, at);
    const isSubmodule = content.toString('latin1', at, at + 6) === SUBMODULE;
    if (!isSubmodule) oids.push(content.toString('hex', zero + 1, zero + 21) as Oid);
    at = zero + 21;
  }
  return oids;
}

import { decodeName, MODE } from './tree.ts';

/** An entry of one of two folders that the other has not, or has otherwise. */
export interface RawDifference {
  readonly name: string;
  /** Oids of subfolders on either side, null where there is none: what to look into next. */
  readonly folderBefore: string | null;
  readonly folderAfter: string | null;
}

const OID_BYTES = 20;
const DIRECTORY = `${MODE.directory.toString(8)} `;

interface Entry {
  /** Where the name begins, and the zero byte after it. */
  readonly name: number;
  readonly zero: number;
  readonly end: number;
}

function entryAt(tree: Buffer, at: number): Entry {
  const name = tree.indexOf(0x20, at) + 1;
  const zero = tree.indexOf(0, name);
  const end = zero + 1 + OID_BYTES;
  if (name === 0 || zero < 0 || end > tree.length) throw new Error('not a tree object');
  return { name, zero, end };
}

/**
 * The entries in which the contents of two tree objects differ, by name. Equal stretches are compared as bytes, so
 * that a folder of a thousand entries of which one changed costs next to nothing. Throws on what is no tree.
 */
export function diffRawTrees(before: Buffer, after: Buffer): RawDifference[] {
  const sides = new Map<string, { before: string | null; after: string | null }>();
  const note = (tree: Buffer, at: number, entry: Entry, side: 'before' | 'after') => {
    const name = decodeName(tree.subarray(entry.name, entry.zero));
    const isFolder = tree.toString('latin1', at, entry.name) === DIRECTORY;
    const both = sides.get(name) ?? { before: null, after: null };
    sides.set(name, both);
    if (isFolder) both[side] = tree.toString('hex', entry.zero + 1, entry.end);
  };
  let [a, b] = [0, 0];
  while (a < before.length || b < after.length) {
    const old = a < before.length ? entryAt(before, a) : null;
    const now = b < after.length ? entryAt(after, b) : null;
    if (old && now && before.compare(after, b, now.end, a, old.end) === 0) {
      [a, b] = [old.end, now.end];
      continue;
    }
    const order = old && now ? compareNames(before, a, old, after, b, now) : old ? -1 : 1;
    if (old && order <= 0) {
      note(before, a, old, 'before');
      a = old.end;
    }
    if (now && order >= 0) {
      note(after, b, now, 'after');
      b = now.end;
    }
  }
  return [...sides].map(([name, side]) => ({ name, folderBefore: side.before, folderAfter: side.after }));
}

/** git's order of entries: by bytes, a folder as if its name ended in a slash. */
function compareNames(a: Buffer, atA: number, x: Entry, b: Buffer, atB: number, y: Entry): number {
  const keyOf = (tree: Buffer, at: number, entry: Entry) => {
    const name = tree.subarray(entry.name, entry.zero);
    const isFolder = tree.toString('latin1', at, entry.name) === DIRECTORY;
    return isFolder ? Buffer.concat([name, SLASH]) : name;
  };
  return Buffer.compare(keyOf(a, atA, x), keyOf(b, atB, y));
}

const SLASH = Buffer.from('/');

import { describe, expect, it } from 'vitest';
import type { Oid } from '#lib/base/ids.ts';
import { decodeObject, type EncodedObject } from './git/objects.ts';
import { MODE, parseTree, type TreeLine } from './git/tree.ts';
import { WorkingTree } from './working-tree.ts';

const oid = (digit: string) => digit.repeat(40) as Oid;
const treeOf = (lines: TreeLine[]) => ({ lines, byName: new Map(lines.map((line) => [line.name, line])) });

describe('a working tree', () => {
  it('keeps the mode of an executable, and makes a plain file of a replaced symlink', async () => {
    const base = treeOf([
      { name: 'link', mode: MODE.symlink, oid: oid('1') },
      { name: 'run', mode: MODE.executable, oid: oid('2') },
    ]);
    const tree = await WorkingTree.open(oid('a'), ['run', 'link'], async () => new Map([[oid('a'), base]]));
    tree.put('run', oid('3'));
    tree.put('link', oid('4'));
    const objects: EncodedObject[] = [];
    await tree.write(objects);
    expect(parseTree(await decodeObject(objects[0] as EncodedObject))).toEqual([
      { name: 'link', mode: MODE.file, oid: oid('4') },
      { name: 'run', mode: MODE.executable, oid: oid('3') },
    ]);
  });

  it('reads only touched folders, one call per level', async () => {
    const folder = (name: string, id: string) => ({ name, mode: MODE.directory, oid: oid(id) });
    const trees = new Map([
      [oid('a'), treeOf([folder('x', 'b'), folder('y', 'c')])],
      [oid('b'), treeOf([folder('deep', 'd')])],
      [oid('d'), treeOf([])],
    ]);
    const reads: (readonly Oid[])[] = [];
    await WorkingTree.open(oid('a'), ['x/deep/f', 'x/g', 'new/h', 'top'], async (oids) => {
      reads.push(oids);
      return trees;
    });
    expect(reads).toEqual([[oid('a')], [oid('b')], [oid('d')]]);
  });

  it('says before it is written that a folder would hold too many entries', async () => {
    const tree = await WorkingTree.open(oid('a'), ['f'], async () => new Map([[oid('a'), treeOf([])]]));
    for (let i = 0; i < 10_000; i++) tree.put(`f/${i}`, oid('1'));
    expect(() => tree.checkRoom('f/0')).not.toThrow();
    tree.put('f/one-more', oid('1'));
    expect(() => tree.checkRoom('f/0')).toThrow(/"f" would hold 10001 entries/);
    expect(() => tree.checkRoom('top')).not.toThrow();
  });

  it('refuses to go on when a tree cannot be read', async () => {
    await expect(WorkingTree.open(oid('a'), ['f'], async () => new Map())).rejects.toThrow(/missing/);
  });
});

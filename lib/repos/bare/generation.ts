import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Db } from '#lib/base/db.ts';
import { transaction } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import { EMPTY_TREE_OID } from '../git/tree.ts';
import type { GrowingPack } from './growing-pack.ts';
import { checkPresence } from './missing-among.ts';
import { newObjects } from './new-objects.ts';
import type { PackBatch } from './pack-entry.ts';
import { type OidKey, reachableObjects } from './reach-check.ts';
import { inKeyOrder, readAllRows, readLinkedRows, readRows } from './read-rows.ts';
import { type RefSnapshot, tipsOf } from './ref-snapshot.ts';
import { runGit, startGit } from './run-git.ts';
import { type WrittenPack, writePack } from './write-pack.ts';

/** One folder of objects of one repo. Packs are added to it, never taken away; it is replaced as a whole. */
export interface Generation {
  readonly dir: string;
  /** Where git finds the objects. */
  readonly objects: string;
  /** What the refs were when it was last brought up to date: everything reachable from here is in it. */
  tips: ReadonlySet<Oid>;
  /** Nothing else is in it. */
  isPure: boolean;
  /** The files of its packs, without `.pack` and `.idx`. */
  packs: string[];
  bytes: number;
  /** Requests that read it now. */
  users: number;
  /** Replaced: goes with its last user. */
  isRetired: boolean;
}

/** A bare repo over a generation's objects with the refs of one moment. */
export interface View {
  readonly gitDir: string;
  readonly key: string;
}

const OID_BYTES = 20;
const CONFIG = '[core]\n\trepositoryformatversion = 0\n\tbare = true\n';

async function emptyGeneration(parent: string): Promise<Generation> {
  const dir = join(parent, randomBytes(8).toString('hex'));
  const objects = join(dir, 'objects');
  await mkdir(join(objects, 'pack'), { recursive: true });
  await mkdir(join(objects, 'info'));
  return {
    dir,
    objects,
    tips: new Set(),
    isPure: true,
    packs: [],
    bytes: 0,
    users: 0,
    isRetired: false,
  };
}

function addPack(generation: Generation, pack: WrittenPack): void {
  generation.packs.push(pack.path);
  generation.bytes += pack.sizeBytes;
}

/** Batches as they come. `onStray` is told of an object that is not expected, before it is passed on. */
async function* comparedWith(
  expected: Set<OidKey>,
  batches: AsyncIterable<PackBatch>,
  onStray: (oid: Buffer) => void,
): AsyncGenerator<PackBatch> {
  for await (const batch of batches) {
    const { oids } = batch;
    for (let at = 0; at < oids.length; at += OID_BYTES)
      if (!expected.has(oids.toString('latin1', at, at + OID_BYTES)))
        onStray(oids.subarray(at, at + OID_BYTES));
    yield batch;
  }
}

/**
 * A generation with everything that the database has of a repo, reachable or not. `onWhole` is given its pack as soon
 * as that is begun, when it will hold exactly what the refs reach.
 */
export async function buildGeneration(
  db: Db,
  repoId: RepoId,
  snapshot: RefSnapshot,
  parent: string,
  onWhole?: (pack: GrowingPack) => void,
): Promise<Generation> {
  const generation = await emptyGeneration(parent);
  const folder = join(generation.objects, 'pack');
  generation.tips = tipsOf(snapshot);
  await transaction(db, async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await inKeyOrder(tx);
    const { count, linked } = await readLinkedRows(tx, repoId);
    if (count === 0) return;
    const rows = readAllRows(tx, repoId);
    const reached = linked && (await reachableObjects(linked, generation.tips));
    generation.isPure = reached?.size === count;
    if (reached?.size !== count) {
      addPack(generation, await writePack(folder, count, rows));
      return;
    }
    let growing: GrowingPack | undefined;
    const checked = comparedWith(reached, rows, (oid) => {
      generation.isPure = false;
      growing?.fail(
        new Error(`repo ${repoId} lacks an object, and has ${oid.toString('hex')} that no ref reaches`),
      );
    });
    const begin = (pack: GrowingPack) => {
      growing = pack;
      onWhole?.(pack);
    };
    addPack(generation, await writePack(folder, count, checked, begin));
  });
  return generation;
}

/** Adds what is reachable from the snapshot's refs and not there yet, as one more pack. */
export async function updateGeneration(
  db: Db,
  repoId: RepoId,
  generation: Generation,
  view: View,
  snapshot: RefSnapshot,
  signal: AbortSignal,
): Promise<void> {
  const tips = tipsOf(snapshot);
  const added = [...tips].filter((oid) => !generation.tips.has(oid));
  const gone = [...generation.tips].filter((oid) => !tips.has(oid));
  const run = { gitDir: view.gitDir, objects: generation.objects, signal };
  if (added.length > 0) {
    const presence = checkPresence(run);
    const oids = await newObjects(db, repoId, added, presence.missingAmong);
    await presence.close();
    if (oids.length > 0) {
      const pack = join(generation.objects, 'pack');
      addPack(generation, await writePack(pack, oids.length, readRows(db, repoId, oids)));
    }
  }
  if (gone.length > 0 && generation.isPure) {
    const left = await runGit({ ...run, args: ['rev-list', '--objects', '--max-count=1', '--stdin'] }, [
      ...gone.map((oid) => `${oid}\n`),
      ...[...tips].map((oid) => `^${oid}\n`),
    ]);
    if (left.length > 0) generation.isPure = false;
  }
  generation.tips = tips;
}

export interface AdoptablePack {
  /** Its two files, without `.pack` and `.idx`. */
  readonly pack: string;
  /** The folder of objects that it was completed from: what git appended to a thin pack is there. */
  readonly over: string;
  /** What else is in it that the moved refs need not reach. */
  readonly others: readonly Oid[];
  readonly moved: readonly { readonly oldOid: Oid | null; readonly newOid: Oid | null }[];
}

/** Moves a pack into a pure generation, when that stays pure by it; see BareCache.adopt. */
export async function adoptPack(
  generation: Generation,
  view: View,
  { pack, over, others, moved }: AdoptablePack,
  signal: AbortSignal,
): Promise<void> {
  const isOnTop = moved.every(
    ({ oldOid, newOid }) => newOid !== null && (oldOid === null || generation.tips.has(oldOid)),
  );
  if (!generation.isPure || !isOnTop || generation.objects !== over) return;
  if (others.length > 0) {
    const presence = checkPresence({ gitDir: view.gitDir, signal });
    const missing = await presence.missingAmong(others);
    await presence.close();
    if (missing.length > 0) return;
  }
  const folder = join(generation.objects, 'pack');
  const name = basename(pack);
  const { size } = await stat(`${pack}.pack`);
  await rename(`${pack}.pack`, join(folder, `${name}.pack`));
  await rename(`${pack}.idx`, join(folder, `${name}.idx`));
  addPack(generation, { path: join(folder, name), sizeBytes: size });
  const tips = new Set(generation.tips);
  for (const { oldOid } of moved) if (oldOid !== null) tips.delete(oldOid);
  for (const { newOid } of moved) if (newOid !== null) tips.add(newOid);
  generation.tips = tips;
}

async function countReachable(gitDir: string, tips: ReadonlySet<Oid>, signal: AbortSignal): Promise<number> {
  const child = startGit({ gitDir, signal, args: ['rev-list', '--objects', '--no-object-names', '--stdin'] });
  child.stdin.end([...tips].map((oid) => `${oid}\n`).join(''));
  let count = 0;
  let rest = '';
  for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    count += lines.filter((line) => line !== EMPTY_TREE_OID).length;
  }
  await child.done;
  return count;
}

async function countStored(gitDir: string, signal: AbortSignal): Promise<number> {
  const text = (await runGit({ gitDir, signal, args: ['count-objects', '-v'] })).toString();
  return Number(/^in-pack: (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
}

/** Whether a generation of a single pack holds nothing but what its tips reach. */
export async function holdsOnlyReachable(
  generation: Generation,
  view: View,
  signal: AbortSignal,
): Promise<boolean> {
  if (generation.packs.length !== 1) return false;
  const reachable = await countReachable(view.gitDir, generation.tips, signal);
  return reachable === (await countStored(view.gitDir, signal));
}

/** A new generation, of one pack, with what the tips of this one reach and nothing else. */
export async function rewriteGeneration(
  generation: Generation,
  view: View,
  parent: string,
  signal: AbortSignal,
): Promise<Generation> {
  const next = await emptyGeneration(parent);
  const pack = join(next.objects, 'pack');
  const args = ['pack-objects', '--revs', '--delta-base-offset', '--window=0', '-q', join(pack, 'tmp')];
  const tips = [...generation.tips];
  await runGit(
    { gitDir: view.gitDir, signal, args },
    tips.map((oid) => `${oid}\n`),
  );
  // the index is what makes git see a pack: it gets its name last
  const names = (await readdir(pack)).sort((a, b) => Number(a.endsWith('.idx')) - Number(b.endsWith('.idx')));
  for (const name of names) {
    next.bytes += (await stat(join(pack, name))).size;
    const kept = join(pack, name.replace(/^tmp-/, 'pack-'));
    await rename(join(pack, name), kept);
    if (kept.endsWith('.idx')) next.packs.push(kept.slice(0, -'.idx'.length));
  }
  next.tips = generation.tips;
  return next;
}

/** Writes the bare repo that shows a generation's objects under the refs of one moment. */
export async function writeView(generation: Generation, snapshot: RefSnapshot): Promise<View> {
  const key = JSON.stringify(snapshot);
  const gitDir = join(generation.dir, `view-${randomBytes(8).toString('hex')}`);
  await mkdir(join(gitDir, 'refs'), { recursive: true });
  const lines = snapshot.refs.map(({ name, oid }) => `${oid} ${name}\n`);
  await Promise.all([
    symlink('../objects', join(gitDir, 'objects')),
    writeFile(join(gitDir, 'HEAD'), `ref: ${snapshot.head}\n`),
    writeFile(join(gitDir, 'config'), CONFIG),
    writeFile(join(gitDir, 'packed-refs'), `# pack-refs with: sorted \n${lines.join('')}`),
  ]);
  return { gitDir, key };
}

/** Removes a generation's folder. */
export async function removeGeneration(generation: Generation): Promise<void> {
  await rm(generation.dir, { recursive: true, force: true });
}

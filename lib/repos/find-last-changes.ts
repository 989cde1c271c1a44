import type { Db } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { type CommitNode, selectChain, selectFirstParents, selectNodes } from './commits-db.ts';
import { type FolderEntries, folderEntries } from './folder-entries.ts';
import { pathKey } from './path-key.ts';

const CHUNK = 100;
/** Candidates per path and question; more are asked for when branches side by side hide the right one. */
const CANDIDATES = 16;
const HIGHEST: Buffer = Buffer.alloc(20, 0xff);

/** Names that are looked for from one commit on. */
type Quest = ReadonlyMap<Oid, ReadonlySet<string>>;

/** What one step found: answers, and names whose search goes on along another line of history. */
class Step {
  readonly answers = new Map<string, Oid>();
  readonly onward = new Map<Oid, Set<string>>();

  goOn(name: string, from: Oid): void {
    const names = this.onward.get(from) ?? new Set();
    this.onward.set(from, names.add(name));
  }
}

const differs = (name: string, a: FolderEntries | undefined, b: FolderEntries | undefined) => {
  const [x, y] = [a?.get(name), b?.get(name)];
  return x?.oid !== y?.oid || x?.mode !== y?.mode;
};

/** Judges commits by their trees, for what is not indexed yet: one query per level of the folder for 100 commits. */
async function byTrees(
  db: Db,
  repoId: RepoId,
  start: Oid,
  folder: string,
  names: ReadonlySet<string>,
): Promise<Step> {
  const step = new Step();
  const chain = await selectChain(db, repoId, start, CHUNK + 1);
  const indexed = chain.findIndex((commit) => commit.hasPaths);
  const judged = chain.slice(0, indexed >= 0 ? indexed : chain.length > CHUNK ? CHUNK : chain.length);
  const besides = [...new Set(judged.flatMap((commit) => commit.parents.slice(1)))];
  const others = [...(await selectNodes(db, repoId, besides)).values()];
  const entries = await folderEntries(db, repoId, [...chain, ...others], folder);
  const open = new Set(names);
  for (const { oid, parents } of judged) {
    const now = entries.get(oid);
    for (const name of open) {
      const [first] = parents;
      if (!differs(name, now, first && entries.get(first))) continue;
      open.delete(name);
      const same = parents.find((parent) => !differs(name, now, entries.get(parent)));
      if (same === undefined) step.answers.set(name, oid);
      else step.goOn(name, same);
    }
  }
  const rest = judged.at(-1)?.parents[0];
  if (rest !== undefined) for (const name of open) step.goOn(name, rest);
  return step;
}

interface Candidate {
  readonly generation: number;
  readonly oid: Oid;
  readonly follow: number;
}

/** Of each path the latest changes below a position, newest first. Plan: one range of path_change_pkey per path. */
async function selectCandidates(
  db: Db,
  repoId: RepoId,
  paths: readonly { readonly key: Buffer; readonly generation: number; readonly oid: Buffer }[],
): Promise<Candidate[][]> {
  const { rows } = await db.query<{ nth: number; generation: number; oid: Buffer; follow: number }>({
    name: 'select-path-changes',
    text: `SELECT k.nth::int AS nth, c.generation, c.oid, c.follow
           FROM unnest($2::bytea[], $3::int4[], $4::bytea[]) WITH ORDINALITY AS k (key, generation, oid, nth)
           CROSS JOIN LATERAL (
             SELECT p.generation, p.oid, p.follow FROM path_change p
             WHERE p.repo_id = $1 AND p.path_key = k.key AND (p.generation, p.oid) < (k.generation, k.oid)
             ORDER BY p.generation DESC, p.oid DESC LIMIT ${CANDIDATES}) c
           ORDER BY k.nth, c.generation DESC, c.oid DESC`,
    values: [repoId, paths.map((p) => p.key), paths.map((p) => p.generation), paths.map((p) => p.oid)],
  });
  const found: Candidate[][] = paths.map(() => []);
  for (const { nth, generation, oid, follow } of rows)
    found[nth - 1]?.push({ generation, oid: hexOf<Oid>(oid), follow });
  return found;
}

/** The first-parent line below a commit, read as far as it is asked about. */
class Line {
  readonly #oids: Set<Oid>;
  #end: Oid;
  #lowest: number;
  readonly #read: (from: Oid, minGeneration: number) => Promise<Oid[]>;

  constructor(start: CommitNode, read: (from: Oid, minGeneration: number) => Promise<Oid[]>) {
    this.#oids = new Set([start.oid]);
    this.#end = start.oid;
    this.#lowest = start.generation;
    this.#read = read;
  }

  async readDownTo(generation: number): Promise<void> {
    if (generation >= this.#lowest) return;
    const oids = await this.#read(this.#end, generation);
    for (const oid of oids) this.#oids.add(oid);
    this.#end = oids.at(-1) ?? this.#end;
    this.#lowest = generation;
  }

  async has({ oid, generation }: Candidate): Promise<boolean> {
    await this.readDownTo(generation);
    return this.#oids.has(oid);
  }
}

/** Asks the index: a query for candidates, one for the line of first parents, one where merges lead aside. */
async function byIndex(
  db: Db,
  repoId: RepoId,
  start: CommitNode,
  folder: string,
  names: ReadonlySet<string>,
): Promise<Step> {
  const step = new Step();
  const line = new Line(start, (from, generation) => selectFirstParents(db, repoId, from, generation));
  const aside: { name: string; oid: Oid; follow: number }[] = [];
  let open = [...names].map((name) => ({
    name,
    key: pathKey(folder === '' ? name : `${folder}/${name}`),
    generation: start.generation,
    oid: HIGHEST,
  }));
  while (open.length > 0) {
    const found = await selectCandidates(db, repoId, open);
    await line.readDownTo(Math.min(start.generation, ...found.flatMap(([first]) => first?.generation ?? [])));
    const next: typeof open = [];
    for (const [at, path] of open.entries()) {
      const candidates = found[at] ?? [];
      let hit: Candidate | undefined;
      for (const candidate of candidates) if (!hit && (await line.has(candidate))) hit = candidate;
      const last = candidates.at(-1);
      if (hit?.follow === 0) step.answers.set(path.name, hit.oid);
      else if (hit) aside.push({ name: path.name, oid: hit.oid, follow: hit.follow });
      else if (last && candidates.length === CANDIDATES)
        next.push({ ...path, generation: last.generation, oid: bytesOf(last.oid) });
    }
    open = next;
  }
  const merges = await selectNodes(db, repoId, [...new Set(aside.map(({ oid }) => oid))]);
  for (const { name, oid, follow } of aside) {
    const parent = merges.get(oid)?.parents[follow - 1];
    if (parent !== undefined) step.goOn(name, parent);
  }
  return step;
}

/**
 * For each of `names` in `folder` the commit, from `start` back, that made it what it is there (or took it away), as
 * `git log -1 -- path` finds it: along the first parent that has it the same, so that a merge counts only when it
 * made something new. Names that never changed are left out. What is indexed costs three queries however long the
 * history is; the rest is judged by trees, 100 commits at a time.
 */
export async function findLastChanges(
  db: Db,
  repoId: RepoId,
  start: Oid,
  folder: string,
  names: ReadonlySet<string>,
): Promise<Map<string, Oid>> {
  const found = new Map<string, Oid>();
  let open: Quest = new Map(names.size === 0 ? [] : [[start, names]]);
  while (open.size > 0) {
    const nodes = await selectNodes(db, repoId, [...open.keys()]);
    const onward = new Map<Oid, Set<string>>();
    for (const [oid, wanted] of open) {
      const node = nodes.get(oid);
      if (node === undefined) throw new Error(`commit ${oid} of repo ${repoId} is missing`);
      const step = node.hasPaths
        ? await byIndex(db, repoId, node, folder, wanted)
        : await byTrees(db, repoId, oid, folder, wanted);
      for (const [name, answer] of step.answers) found.set(name, answer);
      for (const [from, more] of step.onward)
        onward.set(from, new Set([...(onward.get(from) ?? []), ...more]));
    }
    open = onward;
  }
  return found;
}

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Db } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import type { Repo } from '../types.ts';
import { claimFolder } from './claim-folder.ts';
import {
  type AdoptablePack,
  adoptPack,
  buildGeneration,
  type Generation,
  holdsOnlyReachable,
  removeGeneration,
  rewriteGeneration,
  updateGeneration,
  type View,
  writeView,
} from './generation.ts';
import type { GrowingPack } from './growing-pack.ts';
import { areAllTips, type RefSnapshot, readRefSnapshot } from './ref-snapshot.ts';

/** A bare repo that stays as it is until it is released. */
export interface BareRepo {
  readonly gitDir: string;
  readonly objects: string;
  readonly snapshot: RefSnapshot;
  /** It holds nothing that its refs do not reach. */
  readonly isPure: boolean;
  /** A pack with exactly what the refs reach; null when it is spread over several, or not known to be that. */
  readonly wholePack: string | null;
  release(): void;
}

interface OpenOptions {
  readonly mustBePure: boolean;
  readonly signal: AbortSignal;
  /**
   * A client wants all that these reach. When that is what the refs reach, and is not here yet, `onWhole` is given the
   * pack with it while it is written.
   */
  readonly clone?: { readonly wants: readonly Oid[]; readonly onWhole: OnWhole };
}

type OnWhole = (pack: GrowingPack) => void;

interface Entry {
  /** What is done for this repo is done one after another. */
  tail: Promise<unknown>;
  generation: Generation | null;
  view: View | null;
  lastUsed: number;
  upkeep: NodeJS.Timeout | undefined;
}

/** More packs than this are made one: git looks into each of them for every object. */
const MAX_PACKS = 12;
const UPKEEP_DELAY_MS = 3_000;

/**
 * Bare repos for the git binary, made of rows and thrown away at will: nothing durable is in them. One folder per
 * process, so that no two processes meet in it; whatever a killed process leaves, a later one removes.
 */
export class BareCache {
  readonly #app: Pick<App, 'db' | 'config' | 'log'>;
  readonly #entries = new Map<RepoId, Entry>();
  #folder: Promise<string> | undefined;
  #clock = 0;

  constructor(app: Pick<App, 'db' | 'config' | 'log'>) {
    this.#app = app;
  }

  /** The folder of this process; throws when LARDER_DATA cannot be written. */
  folder(): Promise<string> {
    this.#folder ??= claimFolder(join(this.#app.config.LARDER_DATA, 'git-cache')).catch((error) => {
      this.#folder = undefined;
      throw error;
    });
    return this.#folder;
  }

  /**
   * The repo as it is in the database now. Those who ask at the same time share the work: the first reads what is
   * new, the rest find it there. `mustBePure`: with nothing in it that the refs do not reach, for callers that let a
   * client name objects. The caller releases it.
   */
  open(repo: Repo, options: OpenOptions): Promise<BareRepo> {
    const entry: Entry = this.#entries.get(repo.id) ?? {
      tail: Promise.resolve(),
      generation: null,
      view: null,
      lastUsed: 0,
      upkeep: undefined,
    };
    this.#entries.set(repo.id, entry);
    entry.lastUsed = ++this.#clock;
    return this.#inTurn(entry, async () => {
      options.signal.throwIfAborted();
      const snapshot = await readRefSnapshot(this.#app.db, repo);
      const { clone } = options;
      const onWhole = clone && areAllTips(clone.wants, snapshot) ? clone.onWhole : undefined;
      const generation = await this.#current(entry, repo.id, snapshot, onWhole);
      const pure = options.mustBePure ? await this.#purified(entry, generation, repo.id) : generation;
      return this.#lease(entry, pure, snapshot);
    });
  }

  /**
   * Takes over the pack of a push whose refs have moved. `over`: the objects that it was completed from, which must be
   * those that are here now; `others`: objects in it that the refs need not reach, which must be here already;
   * `moved`: no ref has left history behind. Does nothing when that cannot be shown: what is
   * missing is then read from the database.
   */
  async adopt(repo: Repo, push: AdoptablePack): Promise<void> {
    const entry = this.#entries.get(repo.id);
    if (entry === undefined) return;
    await this.#inTurn(entry, async () => {
      const { generation, view } = entry;
      if (generation === null || view === null) return;
      await adoptPack(generation, view, push, new AbortController().signal);
    }).catch((error) => this.#app.log.warn({ err: error, repoId: repo.id }, 'pack of a push not kept'));
  }

  async #inTurn<T>(entry: Entry, work: () => Promise<T>): Promise<T> {
    const turn = entry.tail.then(work);
    entry.tail = turn.catch(() => {}); // the next one tries for itself
    return turn;
  }

  /** The generation, brought up to date. Never aborted by one caller: others wait for the same. */
  async #current(
    entry: Entry,
    repoId: RepoId,
    snapshot: RefSnapshot,
    onWhole: OnWhole | undefined,
  ): Promise<Generation> {
    const { signal } = new AbortController();
    const { db } = this.#app;
    const key = JSON.stringify(snapshot);
    let { generation } = entry;
    if (generation !== null && entry.view !== null && entry.view.key !== key) {
      try {
        await updateGeneration(db, repoId, generation, entry.view, snapshot, signal);
      } catch (error) {
        this.#app.log.warn(
          { err: error, repoId },
          'bare repo cannot be brought up to date: building it anew',
        );
        this.#retire(entry);
        generation = null;
      }
    }
    if (generation === null) {
      generation = await buildGeneration(db, repoId, snapshot, await this.#folderOf(repoId), onWhole);
      entry.generation = generation;
      entry.view = null;
      void this.#evict();
    }
    if (entry.view?.key !== key) entry.view = await writeView(generation, snapshot);
    this.#scheduleUpkeep(entry, repoId);
    return generation;
  }

  async #folderOf(repoId: RepoId): Promise<string> {
    return join(await this.folder(), String(repoId));
  }

  async #purified(entry: Entry, generation: Generation, repoId: RepoId): Promise<Generation> {
    if (generation.isPure && generation.packs.length <= MAX_PACKS) return generation;
    const { signal } = new AbortController();
    const view = entry.view as View;
    if (!generation.isPure && (await holdsOnlyReachable(generation, view, signal))) {
      generation.isPure = true;
      return generation;
    }
    const next = await rewriteGeneration(generation, view, await this.#folderOf(repoId), signal);
    const snapshot = JSON.parse(view.key) as RefSnapshot;
    this.#retire(entry);
    entry.generation = next;
    entry.view = await writeView(next, snapshot);
    return next;
  }

  #lease(entry: Entry, generation: Generation, snapshot: RefSnapshot): BareRepo {
    generation.users++;
    let isHeld = true;
    return {
      gitDir: (entry.view as View).gitDir,
      objects: generation.objects,
      snapshot,
      isPure: generation.isPure,
      wholePack: generation.isPure && generation.packs.length === 1 ? `${generation.packs[0]}.pack` : null,
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        generation.users--;
        if (generation.isRetired && generation.users === 0) void removeGeneration(generation);
      },
    };
  }

  #retire(entry: Entry): void {
    const { generation } = entry;
    entry.generation = null;
    entry.view = null;
    if (generation === null) return;
    generation.isRetired = true;
    if (generation.users === 0) void removeGeneration(generation);
  }

  /** When a repo has had no visitor for a moment: what is unreachable goes out, many packs become one. */
  #scheduleUpkeep(entry: Entry, repoId: RepoId): void {
    clearTimeout(entry.upkeep);
    const { generation } = entry;
    if (generation === null || (generation.isPure && generation.packs.length <= MAX_PACKS)) return;
    const work = () =>
      this.#inTurn(entry, async () => {
        if (entry.generation !== null) await this.#purified(entry, entry.generation, repoId);
      }).catch((error) => this.#app.log.warn({ err: error, repoId }, 'upkeep of a bare repo failed'));
    entry.upkeep = setTimeout(() => void work(), UPKEEP_DELAY_MS).unref();
  }

  /** Forgets the longest unused repos until the rest fits LARDER_GIT_CACHE_BYTES; never one that is being read. */
  async #evict(): Promise<void> {
    const byUse = [...this.#entries].sort(([, a], [, b]) => a.lastUsed - b.lastUsed);
    let total = byUse.reduce((sum, [, { generation }]) => sum + (generation?.bytes ?? 0), 0);
    for (const [repoId, entry] of byUse) {
      if (total <= this.#app.config.LARDER_GIT_CACHE_BYTES) return;
      const { generation } = entry;
      if (generation === null || generation.users > 0 || entry.lastUsed === this.#clock) continue;
      total -= generation.bytes;
      await this.#inTurn(entry, async () => {
        if (entry.generation !== generation || generation.users > 0) return;
        clearTimeout(entry.upkeep);
        this.#retire(entry);
        this.#entries.delete(repoId);
      });
    }
  }

  /** Removes everything. */
  async close(): Promise<void> {
    for (const entry of this.#entries.values()) clearTimeout(entry.upkeep);
    if (this.#folder) await rm(await this.#folder, { recursive: true, force: true });
  }
}

const caches = new WeakMap<Db, BareCache>();

/** The cache of this process: it lives with its pool. */
export function bareCacheOf(app: Pick<App, 'db' | 'config' | 'log'>): BareCache {
  const cache = caches.get(app.db) ?? new BareCache(app);
  caches.set(app.db, cache);
  return cache;
}

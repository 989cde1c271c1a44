import { expect } from 'vitest';
import { isHubError } from '#lib/base/errors.ts';
import type { Oid, Sha256 } from '#lib/base/ids.ts';
import { createBranch } from '#lib/repos/create-branch.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { deleteLfsFiles } from '#lib/repos/delete-lfs-files.ts';
import { deleteRef } from '#lib/repos/delete-ref.ts';
import { duplicateRepo } from '#lib/repos/duplicate-repo.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import { resolveFile } from '#lib/repos/resolve-file.ts';
import { restoreBranch } from '#lib/repos/restore-branch.ts';
import { revertCommit } from '#lib/repos/revert-commit.ts';
import { superSquash } from '#lib/repos/super-squash.ts';
import type { CommitOperation, Repo } from '#lib/repos/types.ts';
import { file, header } from '#tests/repos/people.ts';
import { type BuiltXorb, buildXorb, contentOf } from '#tests/xet/build.ts';
import { lfs, PART_BYTES, random, sha256Of, type World } from './world.ts';

type Files = ReadonlyMap<string, Buffer>;

/** What a repo must be: its branches, and every commit that was ever its head. */
export interface Model {
  repo: Repo;
  branches: Map<string, Oid>;
  commits: Map<Oid, { files: Files; parent: Oid | null }>;
  isGone: boolean;
}

const headOf = (model: Model) => model.branches.get('main') as Oid;
const filesOf = (model: Model) => model.commits.get(headOf(model))?.files ?? new Map<string, Buffer>();
const isLarge = (path: string) => path.startsWith('big');

function moved(model: Model, oid: Oid, files: Files, parent: Oid | null): void {
  model.commits.set(oid, { files, parent });
  model.branches.set('main', oid);
}

/** True when it was done; a refusal is no change, and any other error is a failure of the test. */
async function tried(work: () => Promise<void>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (isHubError(error) && error.status < 500) return false;
    if ((error as { code?: string }).code === '40001') return false; // a duplicate of what changed meanwhile
    throw error;
  }
}

/** What people do in repos, at random, and what the repos must hold after it. */
export class RandomActs {
  readonly #w: World;
  readonly #xorbs = Array.from({ length: 4 }, () => buildXorb([random(700), random(900), random(500)]));
  readonly #texts = Array.from({ length: 4 }, (_, i) => `text ${i}\n`);
  readonly #blobs = Array.from({ length: 4 }, () => random(1500));

  /** Files also come in parts, some of which are given up or left behind. */
  readonly #withParts: boolean;

  constructor(w: World, options: { withParts?: boolean } = {}) {
    this.#w = w;
    this.#withParts = options.withParts === true;
  }

  async newRepo(name: string): Promise<Model> {
    const repo = await createRepo(this.#w.ctx, { type: 'model', namespace: 'alice', name });
    const { rows } = await this.#w.t.app.db.query<{ oid: Buffer }>('SELECT oid FROM ref WHERE repo_id = $1', [
      repo.id,
    ]);
    const oid = rows[0]?.oid.toString('hex') as Oid;
    return {
      repo,
      branches: new Map([['main', oid]]),
      commits: new Map([[oid, { files: new Map(), parent: null }]]),
      isGone: false,
    };
  }

  async verify(model: Model): Promise<void> {
    for (const [branch, oid] of model.branches)
      for (const [path, bytes] of model.commits.get(oid)?.files ?? []) {
        const found = await resolveFile(this.#w.ctx, model.repo, { revision: branch, path });
        const what = `${model.repo.name}/${branch}/${path}`;
        if (isLarge(path)) {
          expect(found.file?.sha256, what).toBe(sha256Of(bytes));
          expect(await this.#w.holds(model.repo.id, bytes), what).toBe(true);
        } else
          expect((await readBlob(this.#w.t.app.db, model.repo.id, found.entry.oid)).equals(bytes), what).toBe(
            true,
          );
      }
  }

  async act(
    model: Model,
    roll: (below: number) => number,
    name: string,
    add: (m: Model) => void,
  ): Promise<unknown> {
    const { repo } = model;
    const [nth, other] = [roll(4), roll(3)];
    const files = filesOf(model);
    switch (roll(this.#withParts ? 15 : 13)) {
      case 0:
      case 1: {
        const bytes = roll(2) === 0 ? (this.#blobs[nth] as Buffer) : random(300 + roll(2000));
        return this.#commitLarge(model, `big${roll(6)}`, bytes, () => this.#w.basic(repo, bytes));
      }
      case 2:
      case 3: {
        const [a, b] = [this.#xorbs[nth] as BuiltXorb, this.#xorbs[other] as BuiltXorb];
        const terms = [
          { xorb: a, start: 0, end: 1 + roll(3) },
          { xorb: b, start: roll(2), end: 3 },
        ];
        return this.#commitLarge(model, `big${roll(6)}`, contentOf(terms), () =>
          this.#w.xet(repo, [...new Set([a, b])], [terms]),
        );
      }
      case 4:
      case 5: {
        const path = `d${roll(2)}/t${roll(3)}`;
        const text = this.#texts[nth] as string;
        return tried(() =>
          this.#commit(model, new Map(files).set(path, Buffer.from(text)), [file(path, text)]),
        );
      }
      case 6: {
        const [path] = [...files.keys()].slice(roll(Math.max(1, files.size)));
        if (path === undefined) return false;
        const left = new Map(files);
        left.delete(path);
        return tried(() => this.#commit(model, left, [{ kind: 'deleteFile', path }]));
      }
      case 7:
        return tried(async () =>
          moved(model, (await superSquash(this.#w.ctx, repo, 'main', `s${roll(9)}`)).commitOid, files, null),
        );
      case 8: {
        const { parent } = model.commits.get(headOf(model)) ?? { parent: null };
        if (parent === null) return false;
        const before = model.commits.get(parent)?.files as Files;
        return tried(async () => {
          const head = headOf(model);
          const { commitOid } = await revertCommit(this.#w.ctx, repo, { branch: 'main', commit: head });
          moved(model, commitOid, before, head);
        });
      }
      case 9: {
        const known = [...model.commits];
        const [oid, { files: then, parent }] = known[roll(known.length)] as (typeof known)[number];
        return tried(async () => {
          await restoreBranch(this.#w.ctx, repo, { branch: 'main', oid });
          moved(model, oid, then, parent);
        });
      }
      case 10:
        return tried(async () => {
          const copy = await duplicateRepo(this.#w.ctx, repo, {
            namespace: 'alice',
            name: `${name}-${roll(1e9)}`,
          });
          const branches = new Map(model.branches);
          add({ repo: copy, branches, commits: new Map(model.commits), isGone: false });
        });
      case 11: {
        const [path] = [...files.keys()].filter(isLarge);
        if (path === undefined) return false;
        const sha256 = sha256Of(files.get(path) as Buffer);
        return tried(async () => {
          await deleteLfsFiles(this.#w.ctx, repo, [sha256], { rewriteHistory: true });
          await this.#relearn(model, sha256);
        });
      }
      case 13:
      case 14: {
        const bytes = random(PART_BYTES + 2_000 + roll(2_000));
        const end = (['done', 'done', 'cancelled', 'left'] as const)[nth] ?? 'done';
        if (end !== 'done') return tried(() => this.#w.inParts(repo, bytes, end));
        return this.#commitLarge(model, `big${roll(6)}`, bytes, () => this.#w.inParts(repo, bytes, end));
      }
      default: {
        const branch = 'side';
        if (model.branches.has(branch))
          return tried(async () => {
            await deleteRef(this.#w.ctx, repo, 'branch', branch);
            model.branches.delete(branch);
          });
        return tried(async () => {
          const known = [...model.commits.keys()];
          const startingPoint = known[roll(known.length)] as Oid;
          await createBranch(this.#w.ctx, repo, { branch, startingPoint, isEmpty: false, overwrite: false });
          model.branches.set(branch, startingPoint);
        });
      }
    }
  }

  async #commit(model: Model, files: Files, operations: CommitOperation[]): Promise<void> {
    const parent = headOf(model);
    const request = { revision: 'main', header: header('c'), operations };
    const { commitOid, changed } = await createCommit(this.#w.ctx, model.repo, request);
    if (changed) moved(model, commitOid, files, parent);
  }

  /** Uploads again until the commit finds the file: with no grace at all it may be taken in between. */
  async #commitLarge(model: Model, path: string, bytes: Buffer, upload: () => Promise<unknown>) {
    for (let attempt = 0; attempt < 8; attempt++) {
      const files = new Map(filesOf(model)).set(path, bytes);
      const isDone = await tried(async () => {
        await upload();
        await this.#commit(model, files, [lfs(path, sha256Of(bytes))]);
      });
      if (isDone) return;
    }
  }

  /** After history was rewritten: commits have new ids, and none has the file. Old ids cannot be restored any more. */
  async #relearn(model: Model, sha256: Sha256): Promise<void> {
    const without = (files: Files) => new Map([...files].filter(([, bytes]) => sha256Of(bytes) !== sha256));
    const { rows } = await this.#w.t.app.db.query<{ name: string; oid: Buffer }>(
      'SELECT name, oid FROM ref WHERE repo_id = $1',
      [model.repo.id],
    );
    const old = new Map(model.commits);
    const was = new Map(model.branches);
    model.commits = new Map();
    for (const { name, oid } of rows) {
      const branch = name.replace('refs/heads/', '');
      const files = without(old.get(was.get(branch) as Oid)?.files ?? new Map());
      model.branches.set(branch, oid.toString('hex') as Oid);
      model.commits.set(oid.toString('hex') as Oid, { files, parent: null });
    }
  }
}

import { type Db, type Queryable, transaction } from '#lib/base/db.ts';
import { hexOf, type Oid } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { REPO_COLUMNS, type RepoRow, repoOf } from '../db.ts';
import { findFiles } from '../files/find-files.ts';
import { auditSubject } from '../move-ref.ts';
import type { Repo } from '../types.ts';
import { checkClosure, type GitProblem } from './check-closure.ts';
import { Finding } from './finding.ts';
import { fixUnheldFile } from './fix-edges.ts';

const BATCH = 100;

type Checked = Pick<App, 'db' | 'queue'>;

/** What a check has looked at, for its last line. */
export interface CheckTotals {
  repos: number;
  objects: number;
}

async function* liveRepos(db: Queryable): AsyncGenerator<Repo> {
  for (let last = 0; ; ) {
    const { rows } = await db.query<RepoRow>(
      `SELECT ${REPO_COLUMNS} FROM repo r JOIN namespace n ON n.id = r.namespace_id
       WHERE r.deleted_at IS NULL AND r.id > $1 ORDER BY r.id LIMIT $2`,
      [last, BATCH],
    );
    yield* rows.map(repoOf);
    const end = rows.at(-1);
    if (end === undefined) return;
    last = end.id;
  }
}

/** Each ref's history is one chain from nothing to where the ref is; a ref that is gone ends in nothing. */
async function checkReflog(db: Queryable, repo: Repo, refs: ReadonlyMap<string, Oid>): Promise<GitProblem[]> {
  const { rows } = await db.query<{ name: string; old_oid: Buffer | null; new_oid: Buffer | null }>(
    'SELECT name, old_oid, new_oid FROM ref_update WHERE repo_id = $1 ORDER BY id',
    [repo.id],
  );
  const problems: GitProblem[] = [];
  const add = (text: string) => problems.push({ code: 'reflog-broken', text, fix: null });
  const at = new Map<string, Oid | null>();
  for (const row of rows) {
    const from = row.old_oid && hexOf<Oid>(row.old_oid);
    if (from !== (at.get(row.name) ?? null))
      add(`reflog of ${row.name}: a move begins at ${from}, but the ref was at ${at.get(row.name)}`);
    at.set(row.name, row.new_oid && hexOf<Oid>(row.new_oid));
  }
  for (const name of new Set([...at.keys(), ...refs.keys()]))
    if ((at.get(name) ?? null) !== (refs.get(name) ?? null))
      add(`${name} is at ${refs.get(name)}, but its reflog ends at ${at.get(name)}`);
  return problems;
}

/** Refs and reflog as they are at one moment. */
async function checkRefs(db: Db, repo: Repo): Promise<{ refs: Map<string, Oid>; problems: GitProblem[] }> {
  return transaction(db, async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    const { rows } = await tx.query<{ name: string; oid: Buffer }>(
      'SELECT name, oid FROM ref WHERE repo_id = $1',
      [repo.id],
    );
    const refs = new Map(rows.map((row) => [row.name, hexOf<Oid>(row.oid)]));
    return { refs, problems: await checkReflog(tx, repo, refs) };
  });
}

async function checkRepo(app: Checked, repo: Repo, totals: CheckTotals): Promise<GitProblem[]> {
  const { refs, problems } = await checkRefs(app.db, repo);
  if (!refs.has(`refs/heads/${repo.defaultBranch}`))
    problems.push({ code: 'default-branch-missing', text: 'the default branch is missing', fix: null });
  const closure = await checkClosure(app, repo.id, [...refs.values()]);
  problems.push(...closure.problems);
  totals.objects += closure.objects;
  const files = await findFiles(app.db, repo.id, [...closure.pointers.keys()]);
  for (const [sha256, { sizeBytes, blob }] of closure.pointers) {
    const held = files.get(sha256);
    if (held === undefined)
      problems.push({
        code: 'file-not-held',
        text: `pointer ${blob}: the repo does not hold ${sha256}`,
        fix: await fixUnheldFile(app.db, repo, sha256, sizeBytes),
      });
    else if (held.sizeBytes !== sizeBytes)
      problems.push({
        code: 'file-size-differs',
        text: `pointer ${blob}: states ${sizeBytes} bytes, the repo holds ${held.sizeBytes}`,
        fix: null,
      });
  }
  return problems;
}

/**
 * Proves of every live repo that each ref reaches only objects that are there and whole, that every reachable
 * large file can be read by an edge of the repo, and that each ref's reflog is one chain that ends where the ref
 * is. Yields each problem with the repo as its subject; counts into `totals`.
 * The hub may be in use meanwhile.
 */
export async function* checkRepos(app: Checked, totals: CheckTotals): AsyncGenerator<Finding> {
  for await (const repo of liveRepos(app.db)) {
    totals.repos++;
    const problems = await checkRepo(app, repo, totals);
    for (const { code, text, fix } of problems) yield new Finding(code, auditSubject(repo), text, fix);
  }
}

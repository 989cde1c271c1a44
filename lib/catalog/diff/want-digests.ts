import { transaction } from '#lib/base/db.ts';
import { hexOf, type Oid, type RepoId, type Sha256 } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { selectRepoById } from '#lib/repos/db.ts';
import type { Repo } from '#lib/repos/types.ts';
import { listFiles } from '../list-files.ts';
import { tensorDigestWanted } from './jobs.ts';
import { isWeights } from './model-views.ts';

/** Refs that are looked at after a push: those that moved last. */
const MAX_REFS = 3;
const MAX_FILES = 20_000;

/** Those of the hashes that nobody has digested. Plan: one probe of tensor_digest_pkey each. */
async function withoutDigest(app: App, sha256s: readonly Sha256[]): Promise<Sha256[]> {
  const { rows } = await app.db.query<{ sha256: Buffer }>(
    `SELECT w.sha256 FROM unnest($1::bytea[]) AS w (sha256)
     WHERE NOT EXISTS (SELECT FROM tensor_digest d WHERE d.sha256 = w.sha256)`,
    [sha256s.map((sha256) => Buffer.from(sha256, 'hex'))],
  );
  return rows.map((row) => hexOf<Sha256>(row.sha256));
}

/** Asks for the digests of files that this repo holds; those that are there or asked for already cost a query. */
export async function wantDigests(app: App, repoId: RepoId, sha256s: readonly Sha256[]): Promise<void> {
  const missing = await withoutDigest(app, [...new Set(sha256s)]);
  if (missing.length === 0) return;
  await transaction(app.db, async (tx) => {
    for (const sha256 of missing)
      await app.queue.enqueue(tx, tensorDigestWanted, { repoId, sha256 }, { key: sha256 });
  });
}

async function weightsAt(app: App, repo: Repo, commitOid: Oid): Promise<Sha256[]> {
  const files = await listFiles(app, repo, commitOid, MAX_FILES);
  return files.flatMap((file) => (file.lfs && isWeights(file.path) ? [file.lfs.sha256] : []));
}

/**
 * Part of what follows every push: asks for the digests of the weights at the refs that moved last, so that they are
 * there before somebody compares. Idempotent; a repo that is gone is done.
 */
export async function digestPushed(app: App, job: { repoId: number }): Promise<void> {
  const repo = await selectRepoById(app.db, job.repoId as RepoId);
  if (repo?.type !== 'model') return;
  const { rows } = await app.db.query<{ oid: Buffer }>(
    `SELECT oid FROM ref WHERE repo_id = $1 AND name !~ '^refs/tags/' ORDER BY updated_at DESC LIMIT $2`,
    [repo.id, MAX_REFS],
  );
  const found: Sha256[] = [];
  for (const { oid } of rows) found.push(...(await weightsAt(app, repo, hexOf<Oid>(oid))));
  await wantDigests(app, repo.id, found);
}

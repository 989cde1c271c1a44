import type { Tx } from '#lib/base/db.ts';
import { bytesOf, hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';

/**
 * Part of a rewrite of history, in its transaction and under its locks: pull requests that remember commits (what they
 * are counted from, what they were merged as) remember the new ones. Their refs move by moveRef. Plan: discussion_pkey.
 */
export async function followRewrite(tx: Tx, repoId: RepoId, newOidOf: (oid: Oid) => Oid): Promise<void> {
  const { rows } = await tx.query<{ num: number; base: Buffer | null; merged: Buffer | null }>(
    `SELECT num, base_oid AS base, merge_commit_oid AS merged FROM discussion
     WHERE repo_id = $1 AND is_pull AND (base_oid IS NOT NULL OR merge_commit_oid IS NOT NULL) ORDER BY num FOR UPDATE`,
    [repoId],
  );
  const map = (oid: Buffer | null) => oid && bytesOf(newOidOf(hexOf<Oid>(oid)));
  await tx.query(
    `UPDATE discussion d SET base_oid = n.base, merge_commit_oid = n.merged
     FROM unnest($2::int4[], $3::bytea[], $4::bytea[]) AS n (num, base, merged)
     WHERE d.repo_id = $1 AND d.num = n.num`,
    [
      repoId,
      rows.map((row) => row.num),
      rows.map((row) => map(row.base)),
      rows.map((row) => map(row.merged)),
    ],
  );
}

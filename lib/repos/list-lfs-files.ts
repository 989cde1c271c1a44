import { bytesOf, hexOf, type Oid, type Sha256, type XetHash } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { hashText } from './files/xet/hashes.ts';
import { findBlobs } from './find-blobs.ts';
import { formatPointer } from './git/lfs-pointer.ts';
import { encodeObject, KIND } from './git/objects.ts';
import { listRefs } from './list-refs.ts';
import type { Repo } from './types.ts';

/** A large file of a repo, wherever in its history it is named. */
export interface LfsFile {
  /** Oid of the pointer in git: what a permanent deletion is asked with. */
  readonly fileOid: Oid;
  readonly sha256: Sha256;
  readonly sizeBytes: number;
  /** One path that it has or had; its SHA-256 when no ref reaches it. */
  readonly filename: string;
  /** Full name of a ref whose history has it; null when none does. */
  readonly ref: string | null;
  readonly pushedAt: Date;
  /** Name of the user who uploaded it. */
  readonly pusher: string | null;
  readonly xetHash: XetHash | null;
}

interface Row {
  sha256: Buffer;
  size_bytes: number;
  created_at: Date;
  pusher: string | null;
  blob: Buffer | null;
  hash: Buffer | null;
}

/**
 * One page of the large files that a repo holds, each once, by SHA-256; `next` is the cursor of the next page, null
 * on the last. A file that no tree at the head of a ref names is looked for in the history. The caller has checked
 * the right to read. Plan: range of repo_file_pkey, one probe of git_object_lfs per file; then findBlobs.
 */
export async function listLfsFiles(
  ctx: Pick<Ctx, 'db'>,
  repo: Repo,
  { limit, after }: { readonly limit: number; readonly after: Sha256 | null },
): Promise<{ files: LfsFile[]; next: Sha256 | null }> {
  const { rows } = await ctx.db.query<Row>(
    `SELECT e.sha256, e.size_bytes, e.created_at, n.name AS pusher, p.oid AS blob, x.hash
     FROM repo_file e
     LEFT JOIN namespace n ON n.id = e.created_by AND n.deleted_at IS NULL
     LEFT JOIN xet_file x ON x.id = e.xet_file_id AND x.sha256_state IN ('verified', 'unverified')
     LEFT JOIN LATERAL (SELECT g.oid FROM git_object g
                        WHERE g.repo_id = e.repo_id AND g.lfs_sha256 = e.sha256 ORDER BY g.oid LIMIT 1) p ON true
     WHERE e.repo_id = $1 AND e.sha256 > $2 ORDER BY e.sha256 LIMIT $3`,
    [repo.id, after === null ? Buffer.alloc(0) : bytesOf(after), limit + 1],
  );
  const page = rows.slice(0, limit);
  const wanted = new Set(page.flatMap((row) => (row.blob ? [hexOf<Oid>(row.blob)] : [])));
  const { branches, tags, converts, pullRequests } = await listRefs(ctx.db, repo);
  const starts = [...branches, ...tags, ...converts, ...pullRequests].map((ref) => ({
    ref: ref.ref,
    commitOid: ref.targetCommit,
  }));
  const places = new Map((await findBlobs(ctx.db, repo.id, starts, wanted)).map((p) => [p.oid, p]));
  const files = await Promise.all(
    page.map(async (row): Promise<LfsFile> => {
      const sha256 = hexOf<Sha256>(row.sha256);
      const sizeBytes = row.size_bytes;
      const fileOid = row.blob
        ? hexOf<Oid>(row.blob)
        : (await encodeObject(KIND.blob, formatPointer({ sha256, sizeBytes }))).oid;
      const place = places.get(fileOid);
      return {
        fileOid,
        sha256,
        sizeBytes,
        filename: place?.path ?? sha256,
        ref: place?.ref ?? null,
        pushedAt: row.created_at,
        pusher: row.pusher,
        xetHash: row.hash && hashText(row.hash),
      };
    }),
  );
  return { files, next: rows.length > limit ? (files.at(-1)?.sha256 ?? null) : null };
}

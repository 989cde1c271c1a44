import { createHash } from 'node:crypto';
import { transaction } from '#lib/base/db.ts';
import type { Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { createCommit } from '#lib/repos/create-commit.ts';
import { createRepo } from '#lib/repos/create-repo.ts';
import { linkFile } from '#lib/repos/files/link-file.ts';
import type { Repo, RepoRef, Visibility } from '#lib/repos/types.ts';
import { newObjectKey } from '#lib/storage/keys.ts';

/** Commits a large file as an upload would leave it: bytes in the store, edge, pointer in the tree. */
export async function putLargeFile(ctx: Ctx, repo: Repo, path: string, bytes: Buffer): Promise<void> {
  const sha256 = createHash('sha256').update(bytes).digest('hex') as Sha256;
  const key = newObjectKey('blob');
  await ctx.store.put(key, bytes, { sizeBytes: bytes.length });
  await transaction(ctx.db, async (tx) => {
    const { rows } = await tx.query<{ id: number }>(
      `INSERT INTO stored_object (key, size_bytes, sha256, state) VALUES ($1, $2, decode($3, 'hex'), 'live') RETURNING id`,
      [key, bytes.length, sha256],
    );
    const userId = (ctx.principal as UserPrincipal).id;
    const objectId = rows[0]?.id as number;
    await linkFile(tx, { repoId: repo.id, sha256, sizeBytes: bytes.length, objectId, userId });
  });
  await createCommit(ctx, repo, {
    revision: 'main',
    header: { summary: `Add ${path}`, description: '', parentCommit: null },
    operations: [{ kind: 'lfsFile', path, sha256, sizeBytes: bytes.length }],
  });
}

/** A model repo of the caller that holds one GGUF. */
export async function makeModel(
  ctx: Ctx,
  name: string,
  gguf: Buffer,
  options: { visibility?: Visibility; namespace?: string; path?: string } = {},
): Promise<RepoRef> {
  const namespace = options.namespace ?? (ctx.principal as UserPrincipal).name;
  const repo = await createRepo(ctx, {
    type: 'model',
    namespace,
    name,
    visibility: options.visibility ?? 'public',
  });
  await putLargeFile(ctx, repo, options.path ?? 'model.gguf', gguf);
  return { type: 'model', namespace, name };
}

import type { Ctx } from '#lib/identity/context.ts';
import { type RepoStorage, readStorage } from '#lib/repos/storage/read-storage.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { type RepoOverview, repoOverview } from './repo-overview.ts';

export interface StoragePage {
  readonly overview: RepoOverview;
  readonly storage: RepoStorage;
  readonly maySetLimit: boolean;
}

/** Everything that the storage page of a repo shows. Throws repo_not_found, overloaded. */
export async function storagePage(ctx: Ctx, ref: RepoRef): Promise<StoragePage> {
  const [overview, storage] = await Promise.all([repoOverview(ctx, ref), readStorage(ctx, ref)]);
  const maySetLimit = ctx.principal.kind === 'user' && ctx.principal.isAdmin;
  return { overview, storage, maySetLimit };
}

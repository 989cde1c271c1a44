import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import type { RepoFile } from '../../types.ts';
import { findFiles } from '../find-files.ts';
import { isLiveRepo } from './db.ts';
import type { FileGrant } from './links.ts';

/** The file that a download link grants, if the repo still exists and still holds it; else not_found. */
export async function findGrantedFile(ctx: Ctx, grant: Omit<FileGrant, 'userId'>): Promise<RepoFile> {
  const isLive = await isLiveRepo(ctx.db, grant.repoId);
  const file = isLive ? (await findFiles(ctx.db, grant.repoId, [grant.sha256])).get(grant.sha256) : undefined;
  if (!file) throw hubError('not_found', 'this object is no longer there');
  return file;
}

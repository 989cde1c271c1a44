import { isUtf8 } from 'node:buffer';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { readBlob } from '#lib/repos/read-blob.ts';
import { resolveFile } from '#lib/repos/resolve-file.ts';
import type { RepoRef } from '#lib/repos/types.ts';
import { MAX_EDITABLE_BYTES } from '../limits.ts';
import { type PlaceInRepo, placeInRepo } from './place-in-repo.ts';

/** Why a file cannot be edited on a page. */
export type EditObstacle = 'notBranch' | 'large' | 'binary';

export interface EditableFile {
  readonly place: PlaceInRepo;
  readonly oid: Oid;
  readonly content: { readonly text: string } | { readonly obstacle: EditObstacle };
}

/** A text file of a branch with its whole text, or why it cannot be edited. Throws as resolveFile does. */
export async function editableFile(ctx: Ctx, ref: RepoRef, rawTail: string): Promise<EditableFile> {
  const place = await placeInRepo(ctx, ref, rawTail);
  const { entry, repo } = await resolveFile(ctx, ref, { revision: place.commitOid, path: place.path });
  const { oid } = entry;
  const obstacle = place.branch === null ? 'notBranch' : entry.lfs ? 'binary' : null;
  if (obstacle !== null) return { place, oid, content: { obstacle } };
  if (entry.sizeBytes > MAX_EDITABLE_BYTES) return { place, oid, content: { obstacle: 'large' } };
  const bytes = await readBlob(ctx.db, repo.id, oid);
  if (!isUtf8(bytes) || bytes.includes(0)) return { place, oid, content: { obstacle: 'binary' } };
  return { place, oid, content: { text: bytes.toString('utf8') } };
}

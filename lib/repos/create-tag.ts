import { transaction } from '#lib/base/db.ts';
import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireWrite } from './access.ts';
import { commitSignature } from './commit-signature.ts';
import { lockRef } from './db.ts';
import { encodeTag } from './git/commit.ts';
import { insertObjects } from './git/db.ts';
import { encodeObject, KIND } from './git/objects.ts';
import { isRefName } from './git/ref-name.ts';
import { moveRef } from './move-ref.ts';
import { requireWhole } from './require-whole.ts';
import { refExists, reserveRefName } from './reserve-ref-name.ts';
import { resolveRevision } from './resolve-revision.ts';
import type { RepoRef } from './types.ts';

const MAX_MESSAGE_BYTES = 64 * 1024;

export interface NewTag {
  /** Short name: `v1.0`. */
  readonly tag: string;
  readonly revision: string;
  /** Not empty: an annotated tag, an object of its own with the caller as its tagger; else the ref alone. */
  readonly message?: string | undefined;
}

/**
 * Creates a tag. Returns its full name and the commit it leads to. Tags do not move: an existing one must be deleted
 * first. Throws repo_not_found, forbidden, invalid_input (name, message), revision_not_found, conflict_exists (the
 * tag exists, its name and another's cannot stand side by side, or the commit's files were permanently deleted; of
 * simultaneous requests one wins).
 */
export async function createTag(
  ctx: Ctx,
  ref: RepoRef,
  request: NewTag,
): Promise<{ ref: string; commitOid: Oid }> {
  const repo = await requireWrite(ctx, ref);
  if (!isRefName(request.tag)) throw hubError('invalid_input', `Invalid reference for a tag: ${request.tag}`);
  const message = (request.message ?? '').replaceAll('\0', '').trim();
  if (Buffer.byteLength(message) > MAX_MESSAGE_BYTES)
    throw hubError('invalid_input', `message: at most ${MAX_MESSAGE_BYTES} bytes`);
  const name = `refs/tags/${request.tag}`;
  const { commitOid } = await resolveRevision(ctx.db, repo, request.revision);
  await transaction(ctx.db, async (tx) => {
    if ((await lockRef(tx, repo.id, name)) !== null) throw refExists(name);
    let newOid = commitOid;
    if (message !== '') {
      const content = { object: commitOid, name: request.tag, tagger: commitSignature(ctx), message };
      const object = await encodeObject(KIND.tag, encodeTag(content));
      await insertObjects(tx, repo.id, [object]);
      newOid = object.oid;
    }
    await reserveRefName(tx, repo, name);
    await requireWhole(tx, repo.id, commitOid); // moveRef does not look through an annotated tag
    if (!(await moveRef(tx, ctx, { repo, ref: name, oldOid: null, newOid, reason: 'tag' })))
      throw refExists(name);
  });
  return { ref: name, commitOid };
}

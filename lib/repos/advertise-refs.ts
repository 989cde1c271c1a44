import type { Queryable } from '#lib/base/db.ts';
import type { Oid, RepoId } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { requireRead } from './access.ts';
import { readRefSnapshot } from './bare/ref-snapshot.ts';
import { requireGit } from './bare/require-git.ts';
import { parseTag } from './git/commit.ts';
import { selectObjects } from './git/db.ts';
import { decodeObject, KIND } from './git/objects.ts';
import { requirePush } from './push/require-push.ts';
import type { RepoRef } from './types.ts';

export interface AdvertisedRef {
  readonly name: string;
  readonly oid: Oid;
  /** What an annotated tag is of in the end. */
  readonly peeled: Oid | null;
}

export interface Advertisement {
  /** In the order in which git sorts names. */
  readonly refs: readonly AdvertisedRef[];
  /** What HEAD stands for, whether or not it exists. */
  readonly head: string;
}

const BATCH = 1000;

/** Where annotated tags among `oids` lead: two queries a level of tags of tags, most often one. */
async function peelTags(db: Queryable, repoId: RepoId, oids: readonly Oid[]): Promise<Map<Oid, Oid>> {
  const peeled = new Map<Oid, Oid>();
  for (let at = 0; at < oids.length; at += BATCH) {
    let open = new Map(oids.slice(at, at + BATCH).map((oid): [Oid, Oid] => [oid, oid]));
    while (open.size > 0) {
      const rows = await selectObjects(db, repoId, [...new Set(open.values())]);
      const deeper = new Map<Oid, Oid>();
      for (const [tag, now] of open) {
        const row = rows.get(now);
        if (row?.kind === KIND.tag) deeper.set(tag, parseTag(await decodeObject(row)).object);
        else if (now !== tag) peeled.set(tag, now);
      }
      open = deeper;
    }
  }
  return peeled;
}

/**
 * All refs as git is shown them. `toPush`: for who wants to push, who must be allowed to; nothing is peeled then.
 * Throws repo_not_found, forbidden, unauthenticated, not_implemented (no git here: nothing could follow).
 */
export async function advertiseRefs(ctx: Ctx, ref: RepoRef, toPush: boolean): Promise<Advertisement> {
  const repo = toPush ? (await requirePush(ctx, ref)).repo : await requireRead(ctx, ref);
  await requireGit();
  const { refs, head } = await readRefSnapshot(ctx.db, repo);
  const tags = refs.filter((line) => line.name.startsWith('refs/tags/')).map((line) => line.oid);
  const peeled = toPush ? new Map<Oid, Oid>() : await peelTags(ctx.db, repo.id, tags);
  return { head, refs: refs.map((line) => ({ ...line, peeled: peeled.get(line.oid) ?? null })) };
}

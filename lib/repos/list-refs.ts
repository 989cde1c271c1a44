import type { Db } from '#lib/base/db.ts';
import { hexOf, type Oid, type RepoId } from '#lib/base/ids.ts';
import { parseTag } from './git/commit.ts';
import { selectTagObjects } from './git/db.ts';
import { decodeObject } from './git/objects.ts';
import type { Repo } from './types.ts';

export interface NamedRef {
  /** Without the `refs/…/` in front; pull requests keep their whole name. */
  readonly name: string;
  /** Full name. */
  readonly ref: string;
  /** The commit it leads to, through annotated tags. */
  readonly targetCommit: Oid;
}

export interface RepoRefs {
  readonly branches: NamedRef[];
  readonly tags: NamedRef[];
  readonly converts: NamedRef[];
  readonly pullRequests: NamedRef[];
}

const MAX_REFS = 50_000;
const MAX_TAG_DEPTH = 5;

/** What annotated tags among `oids` lead to in the end; what is no tag is absent. One query per level of tags on tags. */
async function peelTags(db: Db, repoId: RepoId, oids: readonly Oid[]): Promise<Map<Oid, Oid>> {
  const target = new Map<Oid, Oid>();
  let open = [...new Set(oids)];
  for (let depth = 0; depth < MAX_TAG_DEPTH && open.length > 0; depth++) {
    const tags = await selectTagObjects(db, repoId, open);
    for (const [oid, object] of tags) target.set(oid, parseTag(await decodeObject(object)).object);
    open = [...tags.keys()].flatMap((oid) => target.get(oid) ?? []).filter((oid) => !target.has(oid));
  }
  const end = (oid: Oid): Oid => {
    let at = oid;
    for (let depth = 0; depth < MAX_TAG_DEPTH; depth++) at = target.get(at) ?? at;
    return at;
  };
  return new Map([...target.keys()].map((oid) => [oid, end(oid)]));
}

/** All refs of a repo by kind, each kind by name, the default branch first. Plan: one range of ref_pkey, one probe per tag. */
export async function listRefs(db: Db, repo: Repo): Promise<RepoRefs> {
  const { rows } = await db.query<{ name: string; oid: Buffer }>(
    'SELECT name, oid FROM ref WHERE repo_id = $1 ORDER BY name LIMIT $2',
    [repo.id, MAX_REFS],
  );
  const refs = rows.map((row) => ({ ref: row.name, oid: hexOf<Oid>(row.oid) }));
  const tagged = refs.filter(({ ref }) => ref.startsWith('refs/tags/')).map(({ oid }) => oid);
  const peeled = tagged.length === 0 ? new Map<Oid, Oid>() : await peelTags(db, repo.id, tagged);
  const under = (prefix: string, keep = ''): NamedRef[] =>
    refs
      .filter(({ ref }) => ref.startsWith(prefix))
      .map(({ ref, oid }) => ({
        name: keep + ref.slice(prefix.length),
        ref,
        targetCommit: peeled.get(oid) ?? oid,
      }));
  const branches = under('refs/heads/');
  branches.sort((a, b) => Number(b.name === repo.defaultBranch) - Number(a.name === repo.defaultBranch));
  return {
    branches,
    tags: under('refs/tags/'),
    converts: under('refs/convert/'),
    pullRequests: under('refs/pr/', 'refs/pr/'),
  };
}

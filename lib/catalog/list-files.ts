import type { Oid } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { listTree } from '#lib/repos/read-tree.ts';
import type { Repo, TreeEntry } from '#lib/repos/types.ts';

const PAGE = 1000;

/** All files of a commit (no directories), in path order, at most `limit` of them. */
export async function listFiles(app: App, repo: Repo, commitOid: Oid, limit: number): Promise<TreeEntry[]> {
  const files: TreeEntry[] = [];
  let after: string | undefined;
  do {
    const page = await listTree(app, repo, commitOid, '', {
      recursive: true,
      limit: PAGE,
      ...(after === undefined ? {} : { after }),
    });
    for (const entry of page.entries) if (entry.type === 'file') files.push(entry);
    after = page.next ?? undefined;
  } while (after !== undefined && files.length < limit);
  return files.slice(0, limit);
}

import { createHash } from 'node:crypto';
import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { type Pieces, piecesOf } from '#lib/storage/pieces.ts';
import { requireRead } from '../access.ts';
import { selectSummaries } from '../commits-db.ts';
import { createSlots } from '../files/xet/slots.ts';
import { entryNotFound, findEntry } from '../find-entry.ts';
import { MODE } from '../git/tree.ts';
import { readRoot } from '../resolve-revision.ts';
import { splitRevision } from '../split-revision.ts';
import type { Repo, RepoRef } from '../types.ts';
import { archiveContents } from './archive-contents.ts';
import { archiveFiles } from './archive-files.ts';
import { writeZip } from './write-zip.ts';
import { archiveBytes } from './zip-format.ts';

/** Each holds a list of its files and the buffers of a download, and keeps a core busy. */
const archives = createSlots({ limit: 4, maxWaiting: 16, maxWaitMs: 3_000, what: 'archives' });
/** Raised when the same files would give other bytes. */
const FORMAT = 1;

/** A folder of a commit as a zip, before anything is read. */
export interface Archive {
  readonly repo: Repo;
  readonly commitOid: Oid;
  /** For the file that is saved: `bert-main.zip`, `bert-main-tokenizer.zip`. */
  readonly fileName: string;
  /** Strong: the same tag is the same bytes. */
  readonly etag: string;
  /** True when the address names the commit itself: what is there never changes. */
  readonly isImmutable: boolean;
  /** Its exact length. Throws like open. */
  measure(): Promise<number>;
  /**
   * Its bytes, of which `sizeBytes` come or an error. At most 4 at a time in a process: throws overloaded when none
   * becomes free in 3 s; too_large, not_found: see archive-files.ts.
   */
  open(): Promise<{ sizeBytes: number; pieces: Pieces }>;
}

/**
 * Finds what an archive address names: `tail` is the RAW rest of the path without `.zip`, a revision and perhaps a
 * folder, split like every address. Everything stands in a folder named like the repo, or like the folder asked for.
 * Throws repo_not_found, revision_not_found, entry_not_found (also for a file).
 */
export async function openArchive(ctx: Ctx, ref: RepoRef, tail: string): Promise<Archive> {
  const repo = await requireRead(ctx, ref);
  const { revision, path } = await splitRevision(ctx.db, repo, tail);
  const { commitOid } = revision;
  const folder = path.replace(/\/$/, '');
  const line = await findEntry(ctx.db, repo.id, await readRoot(ctx.db, repo.id, commitOid), folder);
  if (line?.mode !== MODE.directory) throw entryNotFound(commitOid);
  const commit = (await selectSummaries(ctx.db, repo.id, [commitOid])).get(commitOid);
  const modifiedSeconds = Math.floor((commit?.date.getTime() ?? 0) / 1000);
  const root = `${folder === '' ? repo.name : folder.slice(folder.lastIndexOf('/') + 1)}/`;
  const identity = JSON.stringify([FORMAT, line.oid, root, modifiedSeconds]);
  const list = () => archiveFiles(ctx.db, repo.id, line.oid, root);
  return {
    repo,
    commitOid,
    fileName: nameOf(repo, revision.name, folder),
    etag: `"zip-${createHash('sha256').update(identity).digest('hex').slice(0, 40)}"`,
    isImmutable: revision.ref === null,
    measure: () => archives.use(async () => archiveBytes(await list()), ctx.signal),
    async open() {
      const release = await archives.hold(ctx.signal);
      try {
        const files = await list();
        const contents = archiveContents(ctx, repo.id, files, ctx.signal);
        const pieces = piecesOf(writeZip(files, contents, modifiedSeconds), release);
        return { sizeBytes: archiveBytes(files), pieces };
      } catch (error) {
        release();
        throw error;
      }
    },
  };
}

function nameOf(repo: Repo, revision: string, folder: string): string {
  const short = /^[0-9a-f]{40}$/i.test(revision) ? revision.slice(0, 12) : revision || repo.defaultBranch;
  return `${[repo.name, short, folder]
    .filter((part) => part !== '')
    .join('-')
    .replaceAll('/', '-')}.zip`;
}

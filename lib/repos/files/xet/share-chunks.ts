import { transaction } from '#lib/base/db.ts';
import { failpoint } from '#lib/base/failpoint.ts';
import type { RepoId } from '#lib/base/ids.ts';
import type { App } from '#lib/identity/context.ts';
import { outdateReports } from '../../storage/outdate-reports.ts';
import { askedChunks } from './asked-chunks.ts';
import { reindexChunks } from './chunk-index.ts';
import { pinXorbs } from './db.ts';
import { chunksOfTerms, moveRuns, olderPlaces } from './older-places.ts';
import { type Rewrite, rewriteTerms, selectRewritable, storeRewriteLogs } from './rewrite-terms.ts';
import { packTerms, type Term, unpackTerms } from './terms.ts';

const MIN_FILE_BYTES = 1024 * 1024;
/** So that uploads which end together are all registered when the first of them is looked at. */
export const SHARE_AFTER_SECONDS = 10;

/** Whether a file is large enough for shareChunks to do anything about it. */
export function isWorthSharing(sizeBytes: number): boolean {
  return sizeBytes >= MIN_FILE_BYTES;
}

/** Terms of the file over xorbs of older files, as far as these hold the same chunks; null when nothing is to be moved. */
async function planRewrite(app: App, fileId: number, signal: AbortSignal): Promise<Rewrite | null> {
  const [row] = await selectRewritable(app.db, 'f.id = $1', [fileId]);
  if (row === undefined || row.repo_id === null) return null;
  if (row.sha256_state !== 'verified' && row.sha256_state !== 'unverified') return null;
  const place = { domainId: row.domain_id, repoId: row.repo_id, fileId };
  const terms: Term[] = [];
  for await (const chunks of chunksOfTerms(app.db, unpackTerms(row.terms))) {
    signal.throwIfAborted();
    for (const term of moveRuns(chunks, await olderPlaces(app.db, place, chunks))) terms.push(term);
  }
  return packTerms(terms).equals(row.terms) ? null : { row, terms };
}

/** False when a xorb was condemned or the file changed meanwhile: it stays as it is. */
async function carryOut(app: App, rewrite: Rewrite, signal: AbortSignal): Promise<boolean> {
  const { row, terms } = rewrite;
  const asked = await askedChunks(app.db, terms);
  const logs = await storeRewriteLogs(app, [rewrite], signal);
  const xorbIds = [...new Set(terms.map(({ xorbId }) => xorbId))];
  await failpoint('share.logged');
  return transaction(app.db, async (tx) => {
    if ((await pinXorbs(tx, xorbIds)) !== xorbIds.length) return false;
    const changed = await rewriteTerms(tx, [rewrite], logs);
    if (changed.length === 0) return false;
    await reindexChunks(tx, row.domain_id, asked);
    const { rows } = await tx.query<{ repo_id: RepoId }>(
      'SELECT DISTINCT repo_id FROM repo_file WHERE xet_file_id = $1',
      [row.id],
    );
    await outdateReports(
      tx,
      rows.map(({ repo_id }) => repo_id),
    );
    await failpoint('share.before-commit');
    return true;
  });
}

/**
 * Handler of chunksUploaded: lets files use the chunks of files that were registered before them, where these hold the
 * same in runs of 512 KiB and more, instead of those that came with them (decision 0023). Xorbs that nobody uses any
 * more, or little, go by garbage collection when clients have forgotten them. A file's id, bytes and rights do not
 * change, and readers that have begun go on with the old xorbs. Killed anywhere a file is as before or as after; again
 * it finds nothing to do. What fails is logged, and that file stays as it is. Returns how many files were changed.
 */
export async function shareChunks(
  app: App,
  { fileIds }: { readonly fileIds: readonly number[] },
  signal: AbortSignal,
): Promise<number> {
  let changed = 0;
  for (const fileId of fileIds) {
    signal.throwIfAborted();
    try {
      const rewrite = await planRewrite(app, fileId, signal);
      if (rewrite !== null && (await carryOut(app, rewrite, signal))) changed += 1;
    } catch (error) {
      signal.throwIfAborted();
      app.log.error({ err: error, fileId }, 'a file keeps its own copies of chunks that are stored already');
    }
  }
  return changed;
}

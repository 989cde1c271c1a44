import type { Db } from '#lib/base/db.ts';
import { type RefRow, selectRefs } from './db.ts';
import { parseTail, type TailReading } from './parse-tail.ts';
import { chooseRevision, refNamesOf, revisionNotFound } from './resolve-revision.ts';
import type { Repo, Revision } from './types.ts';

export interface SplitTail {
  /** `name` is the revision as the client wrote it, decoded. */
  readonly revision: Revision & { readonly name: string };
  /** From the root, decoded; empty for the root itself. */
  readonly path: string;
}

/** The first reading whose revision exists, given the refs found for all of them; revision_not_found when none does. */
export async function chooseReading(
  db: Db,
  repo: Repo,
  readings: readonly TailReading[],
  refs: readonly RefRow[],
): Promise<SplitTail> {
  const known = new Set(refs.map((row) => row.name));
  const last = readings.length - 1;
  for (const [index, { name, path }] of readings.entries()) {
    // only the shortest reading may be an oid: a longer one must name a ref that exists
    if (index < last && !refNamesOf(name, repo.defaultBranch).some((full) => known.has(full))) continue;
    const revision = await chooseRevision(db, repo, name, refs);
    if (revision !== null) return { revision: { ...revision, name }, path };
  }
  throw revisionNotFound(readings[last]?.name ?? '');
}

/**
 * Splits the RAW tail after `tree|resolve|raw|commits|revision` into revision and path by the rules of parseTail;
 * the longest branch or tag that exists wins. One query. Throws revision_not_found, or invalid_input on a
 * malformed percent-escape.
 */
export async function splitRevision(db: Db, repo: Repo, rawTail: string): Promise<SplitTail> {
  const readings = parseTail(rawTail);
  const names = readings.flatMap((reading) => refNamesOf(reading.name, repo.defaultBranch));
  const refs = names.length === 0 ? [] : await selectRefs(db, repo.id, names);
  return chooseReading(db, repo, readings, refs);
}

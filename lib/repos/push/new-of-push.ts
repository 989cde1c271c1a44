import { createInterface } from 'node:readline';
import { hubError } from '#lib/base/errors.ts';
import type { Oid } from '#lib/base/ids.ts';
import { GitFailure, startGit } from '../bare/run-git.ts';
import { EMPTY_TREE_OID } from '../git/tree.ts';
import type { ObjectFacts, ObjectReader } from './object-reader.ts';
import type { Quarantine } from './quarantine.ts';

/** An object that a push brings and that one of its refs reaches. */
export interface NewObject extends ObjectFacts {
  /** One of the places where it stands; of a root tree and of commits empty. */
  readonly path: string;
}

/**
 * What the new tips reach and the repo did not have: the walk through it is the proof that nothing is missing. Throws
 * invalid_object when something is.
 */
export async function newOfPush(
  quarantine: Quarantine,
  reader: ObjectReader,
  tips: readonly Oid[],
  known: Iterable<Oid>,
): Promise<NewObject[]> {
  const child = startGit({ ...quarantine.run, args: ['rev-list', '--objects', '--stdin'] });
  child.stdin.end([...tips, ...Array.from(known, (oid) => `^${oid}`)].map((line) => `${line}\n`).join(''));
  const found: { oid: Oid; path: string }[] = [];
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: 0 })) {
      const oid = line.slice(0, 40) as Oid;
      if (quarantine.received.has(oid) || oid === EMPTY_TREE_OID) found.push({ oid, path: line.slice(41) });
    }
    await child.done;
  } catch (error) {
    if (!(error instanceof GitFailure)) throw error;
    throw hubError(
      'invalid_object',
      'missing necessary objects: what was pushed points to something that is not here',
      {
        cause: error,
      },
    );
  }
  const facts = await reader.describe(found.map(({ oid }) => oid));
  return found.flatMap(({ path }, index) => {
    const own = facts[index];
    return own ? [{ ...own, path }] : [];
  });
}

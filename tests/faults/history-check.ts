import { createHash } from 'node:crypto';
import pg from 'pg';
import type { GitPerson } from '#tests/clients/git-person.ts';
import type { History } from './doors.ts';
import { branchFor, type Claims, sha256Of } from './ref-doors.ts';

/** Refs that must have a file which was acknowledged, by the door that it came through. */
function refsWith(path: string): string[] {
  const door = path.split('/')[0];
  if (door === 'squash') return ['refs/heads/side'];
  if (door === 'restore') return [`refs/heads/${branchFor(path)}`];
  if (door === 'atomic') return ['a', 'b'].map((letter) => `refs/heads/${branchFor(path)}-${letter}`);
  return ['refs/heads/main'];
}

/** The blob of a file whose content is its path, or, when it came by LFS, is a pointer to that. */
function blobOf(path: string): string {
  const content = path.startsWith('lfs/')
    ? `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256Of(path)}\nsize ${path.length}\n`
    : path;
  return createHash('sha1')
    .update(`blob ${Buffer.byteLength(content)}\0${content}`)
    .digest('hex');
}

/** Each ref's log is one chain of compare-and-swaps, from nothing to where the ref is. */
export async function reflogProblems(databaseUrl: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const log = await client.query(
      `SELECT repo_id || ' ' || name AS ref, encode(old_oid, 'hex') AS from, encode(new_oid, 'hex') AS to
       FROM ref_update ORDER BY id`,
    );
    const refs = await client.query(
      `SELECT repo_id || ' ' || name AS ref, encode(oid, 'hex') AS at FROM ref`,
    );
    const problems: string[] = [];
    const at = new Map<string, string | null>();
    for (const { ref, from, to } of log.rows) {
      if (from !== (at.get(ref) ?? null)) problems.push(`${ref}: from ${from} while at ${at.get(ref)}`);
      at.set(ref, to);
    }
    for (const { ref, at: oid } of refs.rows) {
      if (at.get(ref) !== oid) problems.push(`${ref} is at ${oid}, its log ends at ${at.get(ref)}`);
      at.delete(ref);
    }
    for (const [ref, oid] of at) if (oid !== null) problems.push(`${ref} is gone, its log ends at ${oid}`);
    await client.query('TRUNCATE throttle'); // a hundred seeds open more pull requests than a person may
    return problems;
  } finally {
    await client.end();
  }
}

/**
 * What the history that clients saw and the repo, as a mirror of all its refs has it, disagree about: what was
 * acknowledged is there, nothing is that was not sent, main is one line of commits, each file came with one of them,
 * and what reports of pushes said is so.
 */
export async function historyProblems(
  mirror: GitPerson,
  { acked, sent }: History,
  claims: Claims,
): Promise<string[]> {
  const problems = [...claims.lies];
  const trees = new Map<string, Map<string, string>>();
  for (const ref of (await mirror.git('mirror', 'for-each-ref', '--format=%(refname)')).split('\n')) {
    const lines = (await mirror.git('mirror', 'ls-tree', '-r', ref)).split('\n');
    const files = lines.map((line) => line.split(/[ \t]/).slice(2).toReversed() as [string, string]);
    trees.set(ref, new Map(files));
  }
  for (const path of acked)
    for (const ref of refsWith(path))
      if (trees.get(ref)?.get(path) !== blobOf(path))
        problems.push(`${path} was acknowledged: not in ${ref}`);
  for (const [ref, files] of trees)
    for (const path of files.keys())
      if (path !== '.gitattributes' && !sent.has(path))
        problems.push(`${ref} has ${path}, which nobody sent`);
  const log = (await mirror.git('mirror', 'log', '--format=%H %s%x00%P', 'main')).split('\n');
  const commits = log.map((line) => line.split('\0') as [string, string]);
  for (const [commit, parents] of commits.slice(0, -1))
    if (parents.includes(' ')) problems.push(`main forks at ${commit}`);
  const inMain = new Set(commits.map(([commit]) => commit.slice(0, 40)));
  for (const [oid, isThere] of claims.inMain)
    if (inMain.has(oid) !== isThere)
      problems.push(`a push said of ${oid} in main: ${isThere}\n${claims.said.get(oid)}`);
  const subjects = commits.map(([commit]) => commit.slice(41).replace(/ \(#\d+\)$/, ''));
  for (const subject of subjects)
    if (subjects.indexOf(subject) !== subjects.lastIndexOf(subject))
      problems.push(`twice in main: ${subject}`);
  return problems;
}

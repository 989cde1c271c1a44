import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canWrite } from '#lib/identity/policy.ts';
import { runGit } from '../bare/run-git.ts';
import { KIND } from '../git/objects.ts';
import type { CommitToIndex } from '../index-commits.ts';
import { refRule } from '../ref-rules.ts';
import { validateCard } from '../validate-card.ts';
import type { ObjectReader } from './object-reader.ts';
import type { Quarantine } from './quarantine.ts';
import type { PushRight } from './require-push.ts';
import type { RefCommand } from './types.ts';

/** Why each ref must stay as it is; refs that may move are absent. */
export type Refusals = Map<string, string>;

/** What the names alone rule out, and refs that are named twice. */
export function refuseByName(
  ctx: Pick<Ctx, 'principal'>,
  { repo, ownPulls }: PushRight,
  commands: readonly RefCommand[],
): Refusals {
  const refusals: Refusals = new Map();
  const rights = {
    defaultBranch: repo.defaultBranch,
    canWrite: canWrite(ctx.principal, repo),
    isAuthorOf: (num: number) => ownPulls.has(num),
  };
  const seen = new Set<string>();
  for (const command of commands) {
    const { ref, oldOid, newOid } = command;
    const twice = seen.has(ref) ? 'the push names this ref more than once' : null;
    seen.add(ref);
    const nothing = oldOid === null && newOid === null ? 'there is nothing to delete' : null;
    const reason = twice ?? nothing ?? refRule(command, rights);
    if (reason !== null) refusals.set(ref, reason);
  }
  return refusals;
}

/** Branches and pull requests point to commits, tags to commits or to tags of commits, all of them here. */
export async function refuseByTarget(
  reader: ObjectReader,
  commands: readonly RefCommand[],
  refusals: Refusals,
): Promise<void> {
  const open = commands.filter(({ ref, newOid }) => newOid !== null && !refusals.has(ref));
  const found = await reader.describe(open.flatMap(({ newOid }) => [newOid as Oid, `${newOid}^{commit}`]));
  for (const [index, { ref }] of open.entries()) {
    const own = found[2 * index];
    const commit = found[2 * index + 1];
    if (!own) refusals.set(ref, 'missing necessary objects');
    else if (!commit) refusals.set(ref, 'a ref must lead to a commit');
    else if (own.kind !== KIND.commit && !ref.startsWith('refs/tags/'))
      refusals.set(ref, 'a branch must be a commit, not a tag');
  }
}

/** A README.md that the push brings to the tip of a branch must have valid metadata, as in every commit. */
export async function refuseByCard(
  received: ReadonlySet<Oid>,
  reader: ObjectReader,
  commands: readonly RefCommand[],
  refusals: Refusals,
): Promise<void> {
  const open = commands.filter(
    ({ ref, newOid }) => newOid !== null && !refusals.has(ref) && !ref.startsWith('refs/tags/'),
  );
  const cards = await reader.describe(open.map(({ newOid }) => `${newOid}:README.md`));
  const wanted = [
    ...new Set(cards.flatMap((card) => (card?.kind === KIND.blob && received.has(card.oid) ? card.oid : []))),
  ];
  const reasons = new Map<Oid, string>();
  for await (const { oid, content } of reader.read(wanted)) {
    const { errors } = validateCard(content.toString('utf8'));
    if (errors.length > 0) reasons.set(oid, `Invalid metadata in README.md: ${errors.join('; ')}`);
  }
  for (const [index, { ref }] of open.entries()) {
    const reason = reasons.get(cards[index]?.oid as Oid);
    if (reason !== undefined) refusals.set(ref, reason);
  }
}

/** Whether `old` is among the ancestors of `tip` as far as the new commits lead; undefined: one has to look further. */
function isReached(old: Oid, tip: Oid, parentsOf: ReadonlyMap<Oid, readonly Oid[]>): true | undefined {
  const seen = new Set<Oid>();
  for (const open = [tip]; open.length > 0; ) {
    const oid = open.pop() as Oid;
    if (oid === old) return true;
    if (seen.has(oid)) continue;
    seen.add(oid);
    open.push(...(parentsOf.get(oid) ?? []));
  }
  return undefined;
}

/** Refs whose old commit is not among the ancestors of the new one. `commits` are those that the push brings. */
export async function findForced(
  run: Quarantine['run'],
  commands: readonly RefCommand[],
  refusals: Refusals,
  commits: readonly CommitToIndex[],
): Promise<Set<string>> {
  const forced = new Set<string>();
  const parentsOf = new Map(commits.map(({ oid, commit }) => [oid, commit.parents]));
  for (const { ref, oldOid, newOid } of commands) {
    if (oldOid === null || newOid === null || oldOid === newOid || refusals.has(ref)) continue;
    if (isReached(oldOid, newOid, parentsOf)) continue;
    const args = ['rev-list', '--max-count=1', '--ignore-missing', oldOid, `^${newOid}`];
    const left = await runGit({ ...run, args });
    if (left.length > 0) forced.add(ref);
  }
  return forced;
}

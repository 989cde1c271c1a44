import type { Oid } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { canWrite } from '#lib/identity/policy.ts';
import { runGit } from '../bare/run-git.ts';
import { KIND } from '../git/objects.ts';
import { refRule } from '../ref-rules.ts';
import { validateCard } from '../validate-card.ts';
import type { Quarantine } from './quarantine.ts';
import { describeObjects, readObjects } from './read-objects.ts';
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
  run: Quarantine['run'],
  commands: readonly RefCommand[],
  refusals: Refusals,
): Promise<void> {
  const open = commands.filter(({ ref, newOid }) => newOid !== null && !refusals.has(ref));
  const found = await describeObjects(
    run,
    open.flatMap(({ newOid }) => [newOid as Oid, `${newOid}^{commit}`]),
  );
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
  quarantine: Quarantine,
  commands: readonly RefCommand[],
  refusals: Refusals,
): Promise<void> {
  const open = commands.filter(
    ({ ref, newOid }) => newOid !== null && !refusals.has(ref) && !ref.startsWith('refs/tags/'),
  );
  const cards = await describeObjects(
    quarantine.run,
    open.map(({ newOid }) => `${newOid}:README.md`),
  );
  const isNew = (oid: Oid) => quarantine.received.has(oid);
  const wanted = [
    ...new Set(cards.flatMap((card) => (card?.kind === KIND.blob && isNew(card.oid) ? card.oid : []))),
  ];
  const reasons = new Map<Oid, string>();
  for await (const { oid, content } of readObjects(quarantine.run, wanted)) {
    const { errors } = validateCard(content.toString('utf8'));
    if (errors.length > 0) reasons.set(oid, `Invalid metadata in README.md: ${errors.join('; ')}`);
  }
  for (const [index, { ref }] of open.entries()) {
    const reason = reasons.get(cards[index]?.oid as Oid);
    if (reason !== undefined) refusals.set(ref, reason);
  }
}

/** Refs whose old commit is not among the ancestors of the new one. */
export async function findForced(
  run: Quarantine['run'],
  commands: readonly RefCommand[],
  refusals: Refusals,
): Promise<Set<string>> {
  const forced = new Set<string>();
  for (const { ref, oldOid, newOid } of commands) {
    if (oldOid === null || newOid === null || oldOid === newOid || refusals.has(ref)) continue;
    const args = ['rev-list', '--max-count=1', '--ignore-missing', oldOid, `^${newOid}`];
    const left = await runGit({ ...run, args });
    if (left.length > 0) forced.add(ref);
  }
  return forced;
}

import { isRefName } from './git/ref-name.ts';
import type { RefCommand } from './push/types.ts';

/** What of the repo and of who pushes decides about one ref. */
export interface RefRights {
  readonly defaultBranch: string;
  /** May change the content of the repo. */
  readonly canWrite: boolean;
  /** Whether the caller opened the pull request of this number. */
  readonly isAuthorOf: (pullRequest: number) => boolean;
}

const short = (ref: string, prefix: string) => (ref.startsWith(prefix) ? ref.slice(prefix.length) : null);

function branchRule(branch: string, { newOid }: RefCommand, rights: RefRights): string | null {
  if (!rights.canWrite) return 'you may not write to this repository';
  if (newOid === null && branch === rights.defaultBranch)
    return 'the default branch cannot be deleted; choose another default branch first';
  return newOid === null || isRefName(branch) ? null : 'invalid branch name';
}

function pullRule(number: string, { oldOid, newOid }: RefCommand, rights: RefRights): string | null {
  if (!/^[1-9]\d{0,8}$/.test(number)) return 'refs/pr/ is followed by the number of a pull request';
  if (!rights.canWrite && !rights.isAuthorOf(Number(number)))
    return 'only its author and who may write to this repository push to a pull request';
  if (newOid === null) return 'the ref of a pull request cannot be deleted; close the pull request instead';
  return oldOid === null ? 'there is no such pull request; open it on this hub first' : null;
}

/**
 * Whether a push may make this change to this ref, as far as its name decides: null, or the reason why not, for
 * people. Branches and tags are for who may write; the ref of a pull request also for its author; what the hub
 * makes itself (refs/convert/) and every other name is nobody's. What moves forward or back, and protected
 * branches, are decided where the ref moves (move-ref.ts). Pure.
 */
export function refRule(command: RefCommand, rights: RefRights): string | null {
  const { ref, newOid } = command;
  const branch = short(ref, 'refs/heads/');
  if (branch !== null) return branchRule(branch, command, rights);
  const number = short(ref, 'refs/pr/');
  if (number !== null) return pullRule(number, command, rights);
  const tag = short(ref, 'refs/tags/');
  if (tag === null)
    return ref.startsWith('refs/convert/')
      ? 'refs/convert/ is written by this hub alone'
      : 'only branches (refs/heads/), tags (refs/tags/) and pull requests (refs/pr/) can be pushed';
  if (!rights.canWrite) return 'you may not write to this repository';
  return newOid === null || isRefName(tag) ? null : 'invalid tag name';
}

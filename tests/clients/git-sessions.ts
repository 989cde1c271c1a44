import type { Step } from './git-session.ts';
import { begin, branches } from './git-steps-branches.ts';
import { clones, tags } from './git-steps-clones.ts';
import { contents, large, locks } from './git-steps-files.ts';
import { end, pulls, rights, writers } from './git-steps-people.ts';

/** Everything, in order; each step builds on those before. */
export const STEPS: readonly Step[] = [
  ...begin,
  ...branches,
  ...tags,
  ...clones,
  ...contents,
  ...large,
  ...locks,
  ...pulls,
  ...rights,
  ...writers,
  ...end,
];

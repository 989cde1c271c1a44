/**
 * npm run bench [-- resolve upload tus bytes dedup commits git gateway big-repo]: ratios against a peer measured in the same run, never
 * bare times. Prints one line a figure and ends with 1 when a limit is missed.
 */
import { benchBigRepo } from './big-repo.ts';
import { benchBytes } from './bytes.ts';
import { benchCommits } from './commits.ts';
import { benchDedup } from './dedup.ts';
import { benchGateway } from './gateway.ts';
import { benchGit } from './git.ts';
import { benchResolve } from './resolve.ts';
import { benchTus } from './tus.ts';
import { benchUpload } from './upload.ts';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** The limit of the product's promise, and on which side of it the value must be. */
  readonly limit: number;
  readonly good: 'at least' | 'at most';
  readonly detail: string;
}

const cases: Record<string, () => Promise<Figure[]>> = {
  resolve: benchResolve,
  upload: benchUpload,
  tus: benchTus,
  bytes: benchBytes,
  dedup: benchDedup,
  commits: benchCommits,
  git: benchGit,
  gateway: benchGateway,
  'big-repo': benchBigRepo,
};

const asked = process.argv.slice(2);
for (const name of asked)
  if (!(name in cases)) throw new Error(`no bench named ${name}: ${Object.keys(cases).join(', ')}`);

let missed = 0;
for (const [name, bench] of Object.entries(cases)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  for (const figure of await bench()) {
    const met = figure.good === 'at least' ? figure.value >= figure.limit : figure.value <= figure.limit;
    if (!met) missed++;
    const verdict = `${figure.good} ${figure.limit} ${figure.unit}: ${met ? 'met' : 'MISSED'}`;
    process.stdout.write(
      `${figure.name.padEnd(44)} ${figure.value.toFixed(2).padStart(8)} ${figure.unit.padEnd(6)} (${verdict})  ${figure.detail}\n`,
    );
  }
}
process.exit(missed > 0 ? 1 : 0);

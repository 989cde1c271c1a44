import { createInterface } from 'node:readline';
import type { Oid } from '#lib/base/ids.ts';
import { type GitRun, startGit } from './run-git.ts';

export interface PresenceCheck {
  /** Of these oids, those that are not there. Calls must not overlap. */
  readonly missingAmong: (oids: readonly Oid[]) => Promise<Oid[]>;
  close(): Promise<void>;
}

/** Asks one git process which objects a bare repo has, any number of times. */
export function checkPresence(run: Omit<GitRun, 'args'>): PresenceCheck {
  const child = startGit({ ...run, args: ['cat-file', '--batch-check=%(objectname) %(objecttype)'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async missingAmong(oids) {
      const missing: Oid[] = [];
      if (oids.length === 0) return missing;
      child.stdin.write(`${oids.join('\n')}\n`);
      for (const oid of oids) {
        const answer = await answers.next();
        if (answer.done) {
          await child.done;
          throw new Error('git cat-file ended early');
        }
        if (answer.value.endsWith(' missing')) missing.push(oid);
      }
      return missing;
    },
    async close() {
      child.stdin.end();
      await child.done;
    },
  };
}

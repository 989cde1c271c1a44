import { openDatabase } from './database.ts';
import { examineDatabase } from './examine-database.ts';
import { examineMachine } from './examine-machine.ts';
import { examineStore } from './examine-store.ts';
import type { Options } from './options.ts';
import { bold, dim, green, red, say, yellow } from './terminal.ts';

/** What was looked at and how it is; `mend` says in one line what to do about it. */
export interface Finding {
  subject: string;
  state: 'ok' | 'note' | 'broken';
  text: string;
  mend?: string;
}

const MARKS = { ok: green('ok    '), note: yellow('note  '), broken: red('broken') };

/**
 * Looks at everything a hub needs, whether it runs or not, and changes nothing. Prints one line each, with the
 * way to mend what is broken. Returns 1 when something is.
 */
export async function doctor(options: Options): Promise<number> {
  const findings: Finding[] = [];
  const report = (finding: Finding): void => {
    findings.push(finding);
    say(`${MARKS[finding.state]} ${finding.subject.padEnd(14)} ${finding.text}`);
    if (finding.mend) say(dim(`       ${' '.repeat(14)} → ${finding.mend}`));
  };
  await examineMachine(options, report);
  try {
    const database = await openDatabase(options);
    try {
      await examineDatabase(database.url, options, report);
      await examineStore(database.url, options, report);
    } finally {
      await database.release();
    }
  } catch (error) {
    report({
      subject: 'database',
      state: 'broken',
      text: `the embedded Postgres does not start: ${(error as Error).message}`,
      mend: `look at ${options.dataDir}/postgres/postgres.log`,
    });
  }
  const broken = findings.filter((finding) => finding.state === 'broken').length;
  say(bold(broken === 0 ? 'Nothing is broken' : `${broken} broken`));
  return broken === 0 ? 0 : 1;
}

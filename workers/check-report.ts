import { FINDINGS, type Finding, type FindingCode } from '#lib/repos/check/finding.ts';

/** So many findings that could be deleted at once look like a database from before they were stored. */
const MANY_KEYS = 100;

export interface Totals {
  readonly repos: number;
  readonly objects: number;
  readonly hashedObjects: number;
  readonly hashedBytes: number;
}

interface Entry {
  readonly finding: Finding;
  /** What a repair did, or would do. */
  repair: string | null;
  isMended: boolean;
}

/** Collects findings, repairs what may be repaired, prints for people or programs. */
export class CheckReport {
  readonly #entries: Entry[] = [];
  readonly #mends: boolean;
  readonly #json: boolean;

  constructor(options: { fix: boolean; json: boolean }) {
    this.#mends = options.fix;
    this.#json = options.json;
  }

  /** Takes one finding and prints it. Repairs wait until all is found: they must not change what is still looked at. */
  add(finding: Finding): void {
    this.#entries.push({ finding, repair: null, isMended: false });
    if (!this.#json) console.log(`${finding} [${finding.code}]`);
  }

  /** Runs each repair once. Without `--fix` only says what it would do. */
  async mend(): Promise<void> {
    const refused = this.#refusedCodes();
    const done = new Map<string, { repair: string; isMended: boolean }>();
    for (const entry of this.#entries) {
      const { fix, code } = entry.finding;
      if (fix === null) continue;
      if (refused.has(code)) {
        entry.repair =
          'not done: too many keys at once; is this database older than the store? See docs/operations.md';
        continue;
      }
      let outcome = done.get(fix.key);
      if (outcome === undefined) {
        outcome = this.#mends ? await attempt(fix) : { repair: `--fix would ${fix.what}`, isMended: false };
        done.set(fix.key, outcome);
        if (!this.#json) console.log(`${this.#mends ? `${fix.what}: ` : ''}${outcome.repair}`);
      }
      entry.repair = outcome.repair;
      entry.isMended = outcome.isMended;
    }
  }

  /** Prints the end and returns the exit status: 0 when nothing but notes is left. */
  close(totals: Totals): number {
    const problems = this.#entries.filter(({ finding, isMended }) => !finding.isNote && !isMended);
    const mended = this.#entries.filter((entry) => entry.isMended).length;
    if (this.#json) this.#printJson(totals, problems.length);
    else this.#printText(totals, problems.length, mended);
    return problems.length === 0 ? 0 : 1;
  }

  /** A store that is newer than its database must not be emptied by a command that repairs. */
  #refusedCodes(): Set<FindingCode> {
    const keys = this.#entries.filter(({ finding }) => finding.code === 'key-unnamed').length;
    return new Set(keys > MANY_KEYS ? ['key-unnamed'] : []);
  }

  #codes(): FindingCode[] {
    const left = this.#entries.filter((entry) => !entry.isMended);
    return [...new Set(left.map(({ finding }) => finding.code))];
  }

  #printText({ repos, objects, hashedObjects, hashedBytes }: Totals, problems: number, mended: number): void {
    for (const code of this.#codes()) {
      const { means, mend } = FINDINGS[code];
      console.log(`\n${code}: ${means}\n  → ${mend}`);
    }
    const notes = this.#entries.length - problems - mended;
    const counts = [
      `${repos} repos, ${objects} git objects`,
      hashedObjects > 0 && `${hashedObjects} stored objects read (${hashedBytes} bytes)`,
      mended > 0 && `${mended} mended`,
      notes > 0 && `${notes} notes`,
    ];
    console.log(`${problems === 0 ? 'clean' : `${problems} problems`}: ${counts.filter(Boolean).join(', ')}`);
  }

  #printJson(totals: Totals, problems: number): void {
    const findings = this.#entries.map(({ finding, repair, isMended }) => ({
      code: finding.code,
      subject: finding.subject,
      text: finding.text,
      note: finding.isNote,
      ...FINDINGS[finding.code],
      repair,
      mended: isMended,
    }));
    console.log(JSON.stringify({ clean: problems === 0, problems, ...totals, findings }, null, 2));
  }
}

async function attempt(fix: NonNullable<Finding['fix']>): Promise<{ repair: string; isMended: boolean }> {
  try {
    return { repair: await fix.run(), isMended: true };
  } catch (error) {
    return { repair: `failed: ${(error as Error).message}`, isMended: false };
  }
}

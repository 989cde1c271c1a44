import { parseArgs } from 'node:util';

export interface CheckOptions {
  /** Mends what can be mended without losing anything; else it is only said what would be done. */
  readonly fix: boolean;
  readonly json: boolean;
  /** Share of the stored objects that is read and hashed. */
  readonly share: number;
  readonly graceMs: number | undefined;
  /** Makes the Xet tables again from the store, before anything is checked. */
  readonly rebuildXet: boolean;
}

/** What `npm run check -- …` takes. Throws an Error that names the flag. */
export function readCheckOptions(args: readonly string[]): CheckOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      fix: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      sample: { type: 'string' },
      'grace-hours': { type: 'string' },
      'rebuild-xet': { type: 'boolean', default: false },
    },
  });
  const percent = values.sample === undefined ? 0 : Number(values.sample.replace(/%$/, ''));
  if (!(percent >= 0 && percent <= 100)) throw new Error('--sample takes a percentage, as --sample 5%');
  const hours = values['grace-hours'] === undefined ? undefined : Number(values['grace-hours']);
  if (hours !== undefined && !(hours >= 0)) throw new Error('--grace-hours takes a number of hours');
  return {
    fix: values.fix,
    json: values.json,
    share: values.full ? 1 : percent / 100,
    graceMs: hours === undefined ? undefined : hours * 3_600_000,
    rebuildXet: values['rebuild-xet'],
  };
}

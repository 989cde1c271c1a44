import { appendFileSync, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const LIMIT_BYTES = 10_000_000;
const KEPT = 4;

/**
 * A log that never takes more than about 50 MB: at 10 MB it becomes .1, the former .1 becomes .2, up to .4. Lines that
 * cannot be written (a full disk) are dropped: a hub does not end because nobody can read what it says. The first line
 * that can be written again tells how many are missing.
 */
export function openLogFile(file: string, limitBytes: number = LIMIT_BYTES): (line: string) => void {
  mkdirSync(dirname(file), { recursive: true });
  let size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  let dropped = 0;
  const append = (line: string): void => {
    if (size > limitBytes) {
      for (let i = KEPT - 1; i >= 1; i--)
        if (existsSync(`${file}.${i}`)) renameSync(`${file}.${i}`, `${file}.${i + 1}`);
      renameSync(file, `${file}.1`);
      size = 0;
    }
    appendFileSync(file, `${line}\n`, { mode: 0o600 });
    size += Buffer.byteLength(line) + 1;
  };
  return (line) => {
    try {
      if (dropped > 0) append(`(${dropped} lines could not be written)`);
      dropped = 0;
      append(line);
    } catch {
      dropped++;
    }
  };
}

import { nullWhenMissing } from '#lib/storage/local-write.ts';
import { place, readObjectList } from './backup-folder.ts';
import { readSums, sumOf } from './copy-down.ts';

/**
 * Reads every object of a backup to its end and compares it with the SHA-256 that it had when it was copied, or that the
 * database knows. Returns what does not fit.
 */
export async function verifyBackup(
  dir: string,
  dump: string,
  say: (text: string) => void,
): Promise<{ key: string; why: string }[]> {
  const sums = await readSums(dir);
  const failed: { key: string; why: string }[] = [];
  let read = 0;
  for await (const { key, sha256 } of readObjectList(dump)) {
    const actual = await sumOf(place.object(dir, key)).catch(nullWhenMissing);
    const expected = sha256 ?? sums.get(key);
    if (actual === null) failed.push({ key, why: 'it is not in the backup' });
    else if (expected !== undefined && actual !== expected)
      failed.push({
        key,
        why: `its copy is damaged: delete ${place.object(dir, key)} and run the backup again`,
      });
    say(`read ${++read} objects again`);
  }
  return failed;
}

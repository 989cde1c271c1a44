import { readdir, rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { listBackups, place, readObjectList } from './backup-folder.ts';

/**
 * Removes all but the newest `keep` backups, then the objects that none of those left names. Returns the names of what was
 * removed. May be stopped and run again. About 100 bytes of memory for each object that stays.
 */
export async function pruneBackups(dir: string, keep: number): Promise<string[]> {
  const names = await listBackups(dir);
  const old = names.slice(0, Math.max(0, names.length - keep));
  for (const name of old) await rm(place.dump(dir, name), { recursive: true, force: true });
  if (old.length === 0) return old;
  const used = new Set<string>();
  for (const name of names.slice(old.length))
    for await (const { key } of readObjectList(place.dump(dir, name))) used.add(key);
  const root = place.objects(dir);
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    if (!used.has(relative(root, path).replaceAll('\\', '/'))) await rm(path, { force: true });
  }
  return old;
}

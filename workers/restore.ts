/** `npm run restore -- DIR [--list] [--backup NAME] [--replace]`: exit status 1 when anything is lost. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '#lib/base/config.ts';
import { listBackups, readManifest } from '#lib/repos/backup/backup-folder.ts';
import { restoreBackup } from '#lib/repos/backup/restore-backup.ts';
import { speaker } from './speaker.ts';

const { values, positionals } = parseArgs({
  options: {
    list: { type: 'boolean', default: false },
    backup: { type: 'string' },
    replace: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
if (positionals[0] === undefined) throw new Error('give the folder of the backups: npm run restore -- DIR');
const dir = resolve(positionals[0]);

if (values.list) {
  for (const name of await listBackups(dir)) {
    const { at, objects } = await readManifest(dir, name);
    console.log(
      `${name}  ${at}  ${objects.copied ? `${objects.count} objects, ${objects.bytes} bytes` : 'no objects'}`,
    );
  }
} else {
  const options = { dir, name: values.backup ?? null, replace: values.replace };
  const { name, manifest, put, lost } = await restoreBackup(loadConfig(), options, speaker());
  for (const key of lost) console.log(`object ${key}: neither in the backup nor in the store, or damaged`);
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  console.log(`restored ${name}: ${rows} rows, ${put} objects put into the store, ${lost.length} lost`);
  process.exitCode = lost.length === 0 ? 0 : 1;
}

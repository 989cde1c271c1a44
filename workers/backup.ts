/** `npm run backup -- DIR [--keep N] [--verify] [--no-objects]`: exit status 1 when anything could not be copied. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { loadConfig } from '#lib/base/config.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { createBackup } from '#lib/repos/backup/create-backup.ts';
import { speaker } from './speaker.ts';

const { values, positionals } = parseArgs({
  options: {
    keep: { type: 'string' },
    verify: { type: 'boolean', default: false },
    'no-objects': { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const [dir] = positionals;
const keep = values.keep === undefined ? null : Number(values.keep);
if (dir === undefined) throw new Error('give a folder: npm run backup -- DIR');
if (keep !== null && !(Number.isInteger(keep) && keep >= 1)) throw new Error('--keep takes a number from 1');

const app = await createApp({ config: loadConfig(), program: 'backup' });
try {
  const options = { dir: resolve(dir), withObjects: !values['no-objects'], verify: values.verify, keep };
  const { name, manifest, copied, pruned } = await createBackup(app, options, speaker());
  for (const { key, why } of manifest.objects.failed) console.log(`object ${key}: not in the backup: ${why}`);
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  const objects = options.withObjects
    ? `${copied.count} objects (${copied.bytes} bytes), ${copied.newObjects} of them new (${copied.newBytes} bytes)`
    : 'no objects';
  console.log(`backup ${name}: ${rows} rows, ${objects}`);
  if (pruned.length > 0) console.log(`removed: ${pruned.join(', ')}`);
  process.exitCode = manifest.objects.failed.length === 0 ? 0 : 1;
} finally {
  await closeApp(app);
}

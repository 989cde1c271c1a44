import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { gzipLines } from '#lib/base/gzip-lines.ts';

const MARK = 'larder-backups.json';
const DRAFT = '.draft';

const manifestSchema = z.object({
  version: z.literal(1),
  at: z.string(),
  /** Names of the migrations that the dumped database had; in order. */
  migrations: z.array(z.string()),
  tables: z.array(
    z.object({
      name: z.string(),
      columns: z.array(z.string()),
      rows: z.number().int(),
      /** Of the compressed file. */
      sha256: z.string(),
    }),
  ),
  sequences: z.array(z.object({ name: z.string(), value: z.number().int() })),
  objects: z.object({
    /** False: only the list was taken; the bytes are where the store keeps them. */
    copied: z.boolean(),
    count: z.number().int(),
    bytes: z.number().int(),
    /** Could not be copied: they were damaged or missing already. */
    failed: z.array(z.object({ key: z.string(), why: z.string() })),
  }),
});

/** What a finished backup says of itself. */
export type Manifest = z.infer<typeof manifestSchema>;

/** One line of a backup's list of objects. */
export interface ListedObject {
  readonly key: string;
  readonly sizeBytes: number;
  /** Of whole files; null for xorbs and logs. */
  readonly sha256: string | null;
}

/** Paths inside a folder of backups. */
export const place = {
  dumps: (dir: string) => join(dir, 'dumps'),
  dump: (dir: string, name: string) => join(dir, 'dumps', name),
  draft: (dir: string, name: string) => join(dir, 'dumps', `${name}${DRAFT}`),
  table: (dump: string, name: string) => join(dump, 'tables', `${name}.copy.gz`),
  list: (dump: string) => join(dump, 'objects.tsv.gz'),
  manifest: (dump: string) => join(dump, 'manifest.json'),
  objects: (dir: string) => join(dir, 'objects'),
  object: (dir: string, key: string) => join(dir, 'objects', ...key.split('/')),
  /** `sha256sum -c` reads it. */
  sums: (dir: string) => join(dir, 'objects.sha256'),
};

/**
 * Makes the folder, or makes sure that it is one of backups: an Error says so when it holds anything else. What a
 * broken-off backup left is removed.
 */
export async function openBackupFolder(dir: string): Promise<void> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const names = await readdir(dir);
  if (names.length > 0 && !names.includes(MARK))
    throw new Error(`${dir} is not empty and not a folder of backups: give an empty or a new one`);
  if (!names.includes(MARK))
    await writeFile(join(dir, MARK), '{"version":1}\n', { mode: 0o600, flush: true });
  for (const path of [place.dumps(dir), place.objects(dir)])
    await mkdir(path, { recursive: true, mode: 0o700 });
  for (const name of await readdir(place.dumps(dir)))
    if (name.endsWith(DRAFT)) await rm(join(place.dumps(dir), name), { recursive: true, force: true });
}

/** Names of the finished backups, oldest first. Throws when the folder is not one of backups. */
export async function listBackups(dir: string): Promise<string[]> {
  const names = await readdir(dir).catch(() => [] as string[]);
  if (!names.includes(MARK)) throw new Error(`${dir} is not a folder of backups`);
  const dumps = await readdir(place.dumps(dir));
  return dumps.filter((name) => !name.endsWith(DRAFT)).sort();
}

/** Makes a draft a finished backup: everything in it is on the disk before its name is. */
export async function finishBackup(dir: string, name: string, manifest: Manifest): Promise<void> {
  const draft = place.draft(dir, name);
  await writeFile(place.manifest(draft), `${JSON.stringify(manifest, null, 2)}\n`, {
    mode: 0o600,
    flush: true,
  });
  await syncFolder(draft);
  await rename(draft, place.dump(dir, name));
  await syncFolder(place.dumps(dir));
}

/** Throws an Error that names the file when it is damaged or from a newer version. */
export async function readManifest(dir: string, name: string): Promise<Manifest> {
  const path = place.manifest(place.dump(dir, name));
  const parsed = manifestSchema.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!parsed.success) throw new Error(`${path} is not a manifest that this version of Larder reads`);
  return parsed.data;
}

/** The objects of a backup, one by one. */
export async function* readObjectList(dump: string): AsyncGenerator<ListedObject> {
  for await (const line of gzipLines(createReadStream(place.list(dump)))) {
    const [key = '', size = '', sha256 = ''] = line.split('\t');
    yield { key, sizeBytes: Number(size), sha256: sha256 === '\\N' ? null : sha256 };
  }
}

/** Makes the names in a folder durable. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

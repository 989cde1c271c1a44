import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { hubError } from '#lib/base/errors.ts';
import { checkPartNumber, checkParts } from './check-parts.ts';
import { MANIFEST, type Manifest } from './local-object.ts';
import { isMissing, nullWhenMissing, syncDirectory, writeDurably, writeTemp } from './local-write.ts';
import type { MultipartInfo, ObjectStore, PartOptions, StoredPart, UploadedPart } from './object-store.ts';

type Multipart = Pick<
  ObjectStore,
  'beginMultipart' | 'putPart' | 'completeMultipart' | 'abortMultipart' | 'listMultipart'
>;

/** Folders of the store, and what it does with a finished upload. */
interface Place {
  readonly uploads: string;
  readonly temp: string;
  /** Moves a folder with a manifest to the final place of `key`. */
  publish(folder: string, key: string): Promise<void>;
  exists(key: string): Promise<boolean>;
}

/**
 * Multipart uploads as folders: `<uploads>/<id>/key` names the object, `<number>-<etag>` is a part. An etag begins
 * with the time, so that of two puts of one part the later survives whichever ends first. A part grows under its name;
 * how much of it counts says who completes the upload. Completing writes a list of the parts and moves the folder to its
 * final place: no byte is copied, and a part that arrives later finds no folder.
 */
export async function createLocalMultipart(place: Place): Promise<Multipart> {
  await mkdir(place.uploads, { recursive: true, mode: 0o700 });
  return {
    beginMultipart: (key) => begin(place, key),
    putPart: (key, uploadId, partNumber, body, options) =>
      put(place, { key, uploadId, partNumber }, body, options),
    completeMultipart: (key, uploadId, parts) => complete(place, key, uploadId, parts),
    async abortMultipart(key, uploadId) {
      const folder = await folderOf(place, key, uploadId);
      if (folder) await rm(folder, { recursive: true, force: true });
    },
    listMultipart: () => list(place),
  };
}

async function* list({ uploads }: Place): AsyncGenerator<MultipartInfo> {
  for (const uploadId of await readdir(uploads)) {
    const folder = join(uploads, uploadId);
    const info = await stat(folder).catch(nullWhenMissing);
    // A folder without its key was left by a crash between two steps of begin: swept when the store is opened.
    const key = await readFile(join(folder, 'key'), 'utf8').catch(nullWhenMissing);
    if (info && key !== null) yield { key, uploadId, lastModifiedMs: info.mtimeMs };
  }
}

async function begin({ uploads }: Place, key: string): Promise<string> {
  const uploadId = randomBytes(16).toString('hex');
  const folder = join(uploads, uploadId);
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, 'key'), key, { mode: 0o600, flush: true });
  await syncDirectory(folder);
  await syncDirectory(uploads);
  return uploadId;
}

/** Folder of a running upload of this very key, or null. */
async function folderOf({ uploads }: Place, key: string, uploadId: string): Promise<string | null> {
  if (!/^[0-9a-f]{32}$/.test(uploadId)) return null;
  const folder = join(uploads, uploadId);
  const owner = await readFile(join(folder, 'key'), 'utf8').catch(nullWhenMissing);
  return owner === key ? folder : null;
}

async function put(
  place: Place,
  at: { key: string; uploadId: string; partNumber: number },
  body: Readable | Uint8Array,
  options: PartOptions,
): Promise<StoredPart> {
  const partNumber = checkPartNumber(at.partNumber);
  const folder = await folderOf(place, at.key, at.uploadId);
  if (!folder) throw noUpload();
  const etag = Date.now().toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
  const name = partName({ partNumber, etag });
  const path = join(folder, name);
  const as = (sizeBytes: number): StoredPart => ({ partNumber, etag: `"${etag}"`, sizeBytes });
  const { onDurable } = options;
  const tell = onDurable && ((bytes: number) => onDurable(as(bytes)));
  try {
    // Under its own name at once, which nobody knows yet: the name becomes durable while the bytes come, where a rename
    // would cost another write of the file system's journal after them.
    const part = as(
      await writeDurably(path, body, { ...options, onDurable: tell }, () => syncDirectory(folder)),
    );
    await stat(path); // the upload may have been completed meanwhile: then what is not in its list is gone
    const number = name.slice(0, 6);
    for (const other of await readdir(folder))
      if (other.startsWith(number) && other < name) await rm(join(folder, other), { force: true });
    return part;
  } catch (error) {
    throw isMissing(error) ? noUpload() : error; // completed or given up meanwhile
  }
}

async function complete(
  place: Place,
  key: string,
  uploadId: string,
  parts: readonly UploadedPart[],
): Promise<void> {
  const sorted = checkParts(parts);
  const folder = await folderOf(place, key, uploadId);
  if (!folder) {
    if (await place.exists(key)) return;
    throw noUpload();
  }
  try {
    await writeManifest(place, folder, sorted);
    await place.publish(folder, key);
  } catch (error) {
    // A parallel call may have been faster: then the folder is gone and the object there.
    if ((await folderOf(place, key, uploadId)) === null && (await place.exists(key))) return;
    throw error;
  }
}

/** Lists the parts in a file of the folder and removes what is not listed. */
async function writeManifest({ temp }: Place, folder: string, parts: readonly UploadedPart[]): Promise<void> {
  const manifest: Manifest = { parts: [] };
  for (const part of parts) {
    const name = partName(part);
    const info = await stat(join(folder, name)).catch(nullWhenMissing);
    const { sizeBytes = info?.size ?? 0 } = part;
    if (!info || info.size < sizeBytes)
      throw hubError('invalid_input', `part ${part.partNumber} was not uploaded or its etag differs`);
    if (info.size > sizeBytes) await truncate(join(folder, name), sizeBytes);
    manifest.parts.push({ name, sizeBytes });
  }
  const bytes = Buffer.from(JSON.stringify(manifest));
  const draft = await writeTemp(temp, bytes, { sizeBytes: bytes.length });
  await rename(draft, join(folder, MANIFEST)).catch(async (error) => {
    await rm(draft, { force: true });
    throw error;
  });
  const listed = new Set(['key', MANIFEST, ...manifest.parts.map((part) => part.name)]);
  for (const name of await readdir(folder))
    if (!listed.has(name)) await rm(join(folder, name), { force: true });
  await syncDirectory(folder);
}

function partName({ partNumber, etag }: UploadedPart): string {
  const plain = etag.replace(/^"(.*)"$/, '$1');
  if (!/^[0-9a-f]{32}$/.test(plain))
    throw hubError('invalid_input', `the etag of part ${partNumber} is not ours`);
  return `${String(partNumber).padStart(5, '0')}-${plain}`;
}

function noUpload() {
  return hubError('invalid_input', 'no such upload: it was never begun, is complete or was given up');
}

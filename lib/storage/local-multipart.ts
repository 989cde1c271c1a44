import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { hubError } from '#lib/base/errors.ts';
import { checkPartNumber, checkParts } from './check-parts.ts';
import { isMissing, syncDirectory, writeTemp } from './local-write.ts';
import type { ObjectStore, UploadedPart } from './object-store.ts';

type Multipart = Pick<ObjectStore, 'beginMultipart' | 'putPart' | 'completeMultipart' | 'abortMultipart'>;

const UPLOAD_ID = /^[0-9a-f]{32}$/;

/**
 * Multipart uploads as folders: `multipart/<id>/key` names the object, `<number>-<etag>` is a part. An etag
 * begins with the time, so that of two puts of one part the later survives whatever the order of the renames.
 */
export async function createLocalMultipart(
  root: string,
  publish: (tempPath: string, key: string) => Promise<void>,
): Promise<Multipart> {
  const [uploads, temp] = [join(root, 'multipart'), join(root, 'tmp')];
  await mkdir(uploads, { recursive: true, mode: 0o700 });

  /** Folder of a running upload of this very key, or null. */
  async function folderOf(key: string, uploadId: string): Promise<string | null> {
    if (!UPLOAD_ID.test(uploadId)) return null;
    const folder = join(uploads, uploadId);
    const owner = await readFile(join(folder, 'key'), 'utf8').catch((error) => {
      if (isMissing(error)) return null;
      throw error;
    });
    return owner === key ? folder : null;
  }

  async function assemble(folder: string, parts: readonly UploadedPart[], key: string): Promise<void> {
    const paths: string[] = [];
    let sizeBytes = 0;
    for (const part of parts) {
      const path = join(folder, partName(part));
      const info = await stat(path).catch((error) => {
        if (!isMissing(error)) throw error;
        throw hubError('invalid_input', `part ${part.partNumber} was not uploaded or its etag differs`);
      });
      paths.push(path);
      sizeBytes += info.size;
    }
    const whole = await writeTemp(temp, Readable.from(concatenate(paths), { objectMode: false }), {
      sizeBytes,
    });
    await publish(whole, key);
  }

  return {
    async beginMultipart(key) {
      const uploadId = randomBytes(16).toString('hex');
      const folder = join(uploads, uploadId);
      await mkdir(folder, { mode: 0o700 });
      await writeFile(join(folder, 'key'), key, { mode: 0o600, flush: true });
      await syncDirectory(folder);
      await syncDirectory(uploads);
      return uploadId;
    },

    async putPart(key, uploadId, partNumber, body, options) {
      checkPartNumber(partNumber);
      const folder = await folderOf(key, uploadId);
      if (!folder) throw noUpload();
      const etag = Date.now().toString(16).padStart(12, '0') + randomBytes(10).toString('hex');
      const name = partName({ partNumber, etag });
      const path = await writeTemp(temp, body, options);
      await rename(path, join(folder, name)).catch(async (error) => {
        await rm(path, { force: true });
        throw isMissing(error) ? noUpload() : error;
      });
      await syncDirectory(folder);
      const number = name.slice(0, 6);
      for (const other of await readdir(folder))
        if (other.startsWith(number) && other < name) await rm(join(folder, other), { force: true });
      return { partNumber, etag: `"${etag}"` };
    },

    async completeMultipart(key, uploadId, parts) {
      const sorted = checkParts(parts);
      const folder = await folderOf(key, uploadId);
      const done = () =>
        stat(join(root, 'objects', key)).then(
          () => true,
          () => false,
        );
      if (!folder) {
        if (await done()) return;
        throw noUpload();
      }
      try {
        await assemble(folder, sorted, key);
      } catch (error) {
        if ((await folderOf(key, uploadId)) === null && (await done())) return; // a parallel call was faster
        throw error;
      }
      await rm(folder, { recursive: true, force: true });
    },

    async abortMultipart(key, uploadId) {
      const folder = await folderOf(key, uploadId);
      if (folder) await rm(folder, { recursive: true, force: true });
    },
  };
}

function partName({ partNumber, etag }: UploadedPart): string {
  const plain = etag.replace(/^"(.*)"$/, '$1');
  if (!/^[0-9a-f]{32}$/.test(plain))
    throw hubError('invalid_input', `the etag of part ${partNumber} is not ours`);
  return `${String(partNumber).padStart(5, '0')}-${plain}`;
}

async function* concatenate(paths: readonly string[]): AsyncGenerator<Buffer> {
  for (const path of paths) yield* createReadStream(path, { highWaterMark: 1 << 20 });
}

function noUpload() {
  return hubError('invalid_input', 'no such upload: it was never begun, is complete or was given up');
}

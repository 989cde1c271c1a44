import { hubError } from '#lib/base/errors.ts';
import type { App } from '#lib/identity/context.ts';
import { openFile } from '#lib/repos/files/open-file.ts';
import type { RepoFile } from '#lib/repos/types.ts';

/** Reads bytes `start`..`end` (inclusive) of one file, all of them or an error. */
export type ReadRange = (start: number, end: number) => Promise<Buffer>;

/** Makes a range reader of a large file, whole or Xet. Each call holds its range in memory: keep them small. */
export function readRange(app: App, file: RepoFile, signal?: AbortSignal): ReadRange {
  return async (start, end) => {
    const parts: Buffer[] = [];
    for await (const part of await openFile(app, file, { start, end }, signal)) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    if (bytes.length !== end - start + 1)
      throw hubError('internal', 'a stored file ended early', { internal: `sha256 ${file.sha256}` });
    return bytes;
  };
}

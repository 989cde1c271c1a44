import { isUtf8 } from 'node:buffer';
import { hubError } from '#lib/base/errors.ts';
import type { RepoId, Sha256 } from '#lib/base/ids.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { checkPath } from '../check-path.ts';
import { findFiles } from '../files/find-files.ts';
import { type LfsPointer, parsePointer } from '../git/lfs-pointer.ts';
import { KIND } from '../git/objects.ts';
import { requireRoom } from '../storage/require-room.ts';
import type { NewObject } from './new-of-push.ts';
import type { ReceivedObject } from './object-reader.ts';

/** Largest file that is kept in git itself (hf-api §4); larger ones belong into LFS. */
const MAX_BLOB_BYTES = 10 * 1024 * 1024;
/** Largest tree, commit or tag. */
export const MAX_OTHER_BYTES = 32 * 1024 * 1024;
/** More names than this make no refusal clearer. */
const MAX_NAMED = 20;
const MAX_PATH_BYTES = 1024;
const MAX_SEGMENTS = 100;
const MAX_NAME_BYTES = 255;

const invalid = (message: string) => hubError('invalid_object', message);
const shown = (paths: readonly string[]) =>
  [
    ...paths.slice(0, MAX_NAMED).map((path) => `  - ${JSON.stringify(path).slice(1, -1)}`),
    ...(paths.length > MAX_NAMED ? [`  … and ${paths.length - MAX_NAMED} more`] : []),
  ].join('\n');

/** Throws invalid_object, naming the files, for blobs that are too large for git. */
export function checkSizes(objects: Iterable<NewObject>): void {
  const large = [...objects].filter(
    ({ kind, sizeBytes }) => kind === KIND.blob && sizeBytes > MAX_BLOB_BYTES,
  );
  if (large.length > 0)
    throw invalid(
      `Your push was rejected because it contains files larger than 10 MiB. Please use https://git-lfs.github.com/ to store large files.\nOffending files:\n${shown(large.map(({ path, oid }) => path || oid))}`,
    );
}

/** Length of the longest name in a tree; throws invalid_path for a name that is not UTF-8 or too long. */
function longestName(content: Buffer, folder: string): number {
  let longest = 0;
  for (let at = 0; at < content.length; ) {
    const start = content.indexOf(0x20, at) + 1;
    const end = content.indexOf(0, start);
    const length = end - start;
    if (length > longest) longest = length;
    const name = content.subarray(start, end);
    if (length > MAX_NAME_BYTES || !isUtf8(name)) {
      const text = name.toString('utf8');
      checkPath(isUtf8(name) ? inFolder(folder, text) : `${inFolder(folder, text)}\0`);
    }
    at = end + 21;
  }
  return longest;
}

/** Path of an entry of a folder; the root is the empty path. */
export const inFolder = (folder: string, name: string) => (folder === '' ? name : `${folder}/${name}`);

/** Throws invalid_path when the tree, standing at `folder`, holds names that no commit may (see checkPath). */
export function checkTree(content: Buffer, folder: string): void {
  const longest = longestName(content, folder);
  const depth = folder === '' ? 0 : folder.split('/').length;
  if (Buffer.byteLength(folder) + 1 + longest > MAX_PATH_BYTES || depth + 1 > MAX_SEGMENTS)
    checkPath(inFolder(folder, 'x'.repeat(longest)));
}

/** Pointers to large files among what a push brings, and the check that this repo holds what they name. */
export class PointerCheck {
  readonly #found: { readonly path: string; readonly pointer: LfsPointer }[] = [];

  /** Notes the object when it is a pointer; returns what it points to. */
  note({ kind, content }: ReceivedObject, path: string): LfsPointer | undefined {
    const pointer = kind === KIND.blob ? parsePointer(content) : null;
    if (pointer === null) return undefined;
    this.#found.push({ path, pointer });
    return pointer;
  }

  /** What was pointed to so far. */
  get files(): Sha256[] {
    return this.#found.map(({ pointer }) => pointer.sha256);
  }

  /** Throws invalid_object, naming files, unless the repo holds every file pointed to, in the size stated, and has room for them (quota_exceeded). */
  async check(ctx: Pick<Ctx, 'db' | 'config'>, repoId: RepoId): Promise<void> {
    const lost: string[] = [];
    const all = this.#found;
    if (all.length > 0) await requireRoom(ctx, repoId, 0); // a limit may have been lowered since they were uploaded
    for (let at = 0; at < all.length; at += 1000) {
      const batch = all.slice(at, at + 1000);
      const sha256s = [...new Set(batch.map(({ pointer }): Sha256 => pointer.sha256))];
      const files = await findFiles(ctx.db, repoId, sha256s);
      for (const { path, pointer } of batch)
        if (files.get(pointer.sha256)?.sizeBytes !== pointer.sizeBytes)
          lost.push(`${path || 'a file'} (sha256 ${pointer.sha256}, ${pointer.sizeBytes} bytes)`);
    }
    if (lost.length > 0)
      throw invalid(
        `Your push was rejected because the content of these large files is not here. Run "git lfs push --all origin" and push again.\n${shown(lost)}`,
      );
  }
}

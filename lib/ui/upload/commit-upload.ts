import { type Committed, postCommit } from '../editor/post-commit.ts';
import type { UploadItem } from './upload-item.ts';
import type { UploadPlace } from './upload-place.ts';

export interface UploadCommit {
  readonly place: UploadPlace;
  readonly items: readonly UploadItem[];
  readonly files: ReadonlyMap<string, File>;
  readonly summary: string;
  readonly description: string;
  readonly asPullRequest: boolean;
}

/** A part of the body of this length becomes a blob, which a browser keeps outside of the page's memory. */
const PART_CHARS = 4 * 1024 * 1024;

/** Content of a small file in base64. Throws when it cannot be read (any more). */
function base64Of(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener('load', () => {
      const url = String(reader.result);
      resolve(url.slice(url.indexOf(',') + 1));
    });
    reader.addEventListener('error', () => reject(reader.error ?? new Error(file.name)));
    if (file.size === 0) resolve('');
    else reader.readAsDataURL(file);
  });
}

async function lineOf(item: UploadItem, files: ReadonlyMap<string, File>): Promise<string> {
  const { path, sizeBytes, sha256 } = item;
  if (item.how !== 'inline')
    return JSON.stringify({ key: 'lfsFile', value: { path, algo: 'sha256', oid: sha256, size: sizeBytes } });
  const file = files.get(item.id);
  if (!file) throw new Error(path);
  return JSON.stringify({ key: 'file', value: { path, content: await base64Of(file), encoding: 'base64' } });
}

/** The body of the commit; the files that travel in it are read one at a time. */
async function bodyOf({ items, files, summary, description }: UploadCommit): Promise<Blob> {
  const parts: Blob[] = [];
  let text = `${JSON.stringify({ key: 'header', value: { summary, description } })}\n`;
  for (const item of items) {
    text += `${await lineOf(item, files)}\n`;
    if (text.length < PART_CHARS) continue;
    parts.push(new Blob([text]));
    text = '';
  }
  return new Blob([...parts, text]);
}

/**
 * Commits what was uploaded, all in one commit on top of whatever the branch is by now: files are added or
 * replaced, nothing else is touched. Throws CallError; then nothing was written, and nothing of the upload is lost.
 */
export async function commitUpload(commit: UploadCommit): Promise<Committed> {
  const { place, asPullRequest } = commit;
  return postCommit(place.repo, place.branch, await bodyOf(commit), asPullRequest || !place.mayWrite);
}

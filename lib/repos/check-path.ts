import { type HubError, hubError } from '#lib/base/errors.ts';

const MAX_PATH_BYTES = 1024;
const MAX_NAME_BYTES = 255;
const MAX_SEGMENTS = 100;

/** Names that some file system reads as `.git` (git's fsck: NTFS streams, short names and backslashes). */
const NTFS_DOTGIT = /(?:^|\\)(?:\.git|git~1)[ .]*(?:$|[\\:])/i;
/** Characters that HFS+ leaves out when it compares names (git's utf8.c). */
const HFS_IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

/** Shown inside messages: one line, not endless. */
const quote = (path: string) => JSON.stringify(path.length > 120 ? `${path.slice(0, 120)}…` : path);

const refuse = (path: string, why: string): HubError =>
  hubError('invalid_path', `Invalid path in repo: ${quote(path)} ${why}`);

function checkSegment(path: string, name: string): void {
  if (name === '') throw refuse(path, 'has an empty segment (a leading, trailing or doubled "/")');
  if (name === '.' || name === '..') throw refuse(path, `must not hold a "${name}" segment`);
  if (NTFS_DOTGIT.test(name) || name.replaceAll(HFS_IGNORED, '').toLowerCase() === '.git')
    throw refuse(path, 'must not hold a segment that a file system may read as ".git"');
  if (Buffer.byteLength(name) > MAX_NAME_BYTES)
    throw refuse(path, `has a name longer than ${MAX_NAME_BYTES} bytes`);
}

/**
 * Throws invalid_path unless a commit may hold a file at `path`: the rules of the Hub (hf-api §2.2) and of git's
 * fsck, with limits of 1024 bytes, 255 bytes per name and 100 segments. Backslashes are ordinary characters
 * unless the path begins with `..\` or `.\`.
 */
export function checkPath(path: string): void {
  if (path === '') throw refuse(path, 'is empty');
  if (!path.isWellFormed() || path.includes('\0')) throw refuse(path, 'is not valid text');
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw refuse(path, `is longer than ${MAX_PATH_BYTES} bytes`);
  if (/^(?:\.{1,2})?\\/.test(path)) throw refuse(path, 'must be relative to the root of the repo');
  const names = path.split('/');
  if (names.length > MAX_SEGMENTS) throw refuse(path, `has more than ${MAX_SEGMENTS} segments`);
  for (const name of names) checkSegment(path, name);
}

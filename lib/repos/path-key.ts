import { hash } from 'node:crypto';

/** Of 32: enough to keep all paths of a repo apart. */
const PATH_KEY_BYTES = 16;

/** What a path is called in path_change: short whatever the path's length, and the same for the same path only. */
export function pathKey(path: string): Buffer {
  // UTF-16 keeps names apart that are not UTF-8 (lone surrogates), which UTF-8 would not
  return (hash('sha256', Buffer.from(path, 'utf16le'), 'buffer') as Buffer).subarray(0, PATH_KEY_BYTES);
}

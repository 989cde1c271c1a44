import { bytesIn } from './direct-session.ts';
import type { KeptSource } from './queue-store.ts';
import { askOffset } from './send-tus.ts';
import { isFinished, type UploadItem } from './upload-item.ts';

type WithPermission = FileSystemFileHandle & {
  queryPermission?(options: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(options: { mode: 'read' }): Promise<PermissionState>;
};

/** Whether a file is the one that was chosen before, as far as its name, size and time tell. */
export function isSameFile(item: UploadItem, file: File): boolean {
  return file.size === item.sizeBytes && file.lastModified === item.modifiedMs;
}

/** The state of a file that is at hand again. */
export function stateWithFile(item: UploadItem): UploadItem['state'] {
  if (!isFinished(item)) return 'waiting';
  return item.how === 'inline' ? 'ready' : 'done';
}

async function fileOf(item: UploadItem, handle: FileSystemFileHandle): Promise<File | null> {
  const file = await handle.getFile().catch(() => null);
  return file && isSameFile(item, file) ? file : null;
}

/** The file as the browser kept it: from its bytes, or from its handle if the reader's permission still holds. */
async function restoreFile(item: UploadItem, source: KeptSource | undefined): Promise<File | null> {
  const name = item.source.slice(item.source.lastIndexOf('/') + 1);
  if (source?.content) return new File([source.content], name, { lastModified: item.modifiedMs });
  const handle = source?.handle as WithPermission | undefined;
  if (!handle) return null;
  const permission = await (handle.queryPermission?.({ mode: 'read' }) ?? 'granted');
  return permission === 'granted' ? fileOf(item, handle) : null;
}

/** An item as a page that was loaded anew has it: nothing is under way, and its file may be missing. */
export async function restoreItem(
  item: UploadItem,
  source: KeptSource | undefined,
): Promise<{ item: UploadItem; file: File | null }> {
  if (isFinished(item) && item.how !== 'inline') return { item, file: null };
  const file = await restoreFile(item, source).catch(() => null);
  const isStill = ['paused', 'failed', 'refused'].includes(item.state);
  const state = isStill && file ? item.state : file ? stateWithFile(item) : 'missing';
  return { item: { ...item, state }, file };
}

/**
 * What the hub has of a file that was begun: how far it is, or that it is in (its last answer was lost), for which
 * the file is not needed any more. Null when there is nothing to say, or the hub is away.
 */
export async function askUpload(item: UploadItem): Promise<Partial<UploadItem> | null> {
  if (isFinished(item)) return null;
  if (item.direct) return { sentBytes: bytesIn(item.direct, item.sizeBytes) };
  if (item.uploadUrl === null) return null;
  const found = await askOffset(item.uploadUrl).catch(() => undefined);
  if (found === undefined) return null;
  if (found === null) return { uploadUrl: null, sentBytes: 0 };
  if (found.sha256 !== null) return { state: 'done', step: 'finished', sha256: found.sha256, reason: '' };
  return { sentBytes: found.offsetBytes };
}

/** Asks the reader for a file that is known by its handle. Must be called from a click. */
export async function askForFile(item: UploadItem, handle: FileSystemFileHandle): Promise<File | null> {
  const permission = await (handle as WithPermission)
    .requestPermission?.({ mode: 'read' })
    .catch(() => 'denied');
  return permission === 'granted' ? fileOf(item, handle) : null;
}

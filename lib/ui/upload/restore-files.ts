import { bytesIn } from './direct-session.ts';
import type { KeptQueue, KeptSource } from './queue-store.ts';
import { askOffset } from './send-tus.ts';
import { bySource, isFinished, type UploadItem } from './upload-item.ts';
import type { UploadRun } from './upload-run.ts';
import { draftOf } from './upload-view.ts';

type WithPermission = FileSystemHandle & {
  queryPermission?(options: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(options: { mode: 'read' }): Promise<PermissionState>;
};

type Traits = Pick<UploadItem, 'sizeBytes' | 'modifiedMs'>;

/** Whether a file is the one that was chosen before, as far as its size and time tell. */
export function isSameFile(one: Traits, other: Traits): boolean {
  return one.sizeBytes === other.sizeBytes && one.modifiedMs === other.modifiedMs;
}

const nameOf = ({ source }: UploadItem) => source.slice(source.lastIndexOf('/') + 1);

/** The missing file that a chosen one is, when it was chosen by another way: alone, and not with its folder. */
export function missingTwin(items: readonly UploadItem[], fresh: UploadItem): UploadItem | undefined {
  const twins = items.filter(
    (item) => item.state === 'missing' && nameOf(item) === nameOf(fresh) && isSameFile(item, fresh),
  );
  return twins.length === 1 ? twins[0] : undefined;
}

/** The state of a file that is at hand again. */
export function stateWithFile(item: UploadItem): UploadItem['state'] {
  if (!isFinished(item)) return 'waiting';
  return item.how === 'inline' ? 'ready' : 'done';
}

/** An item as a page that was loaded anew has it: nothing is under way, and its file is not at hand yet. */
function withoutFile(item: UploadItem): UploadItem {
  const needsNone = isFinished(item) && item.how !== 'inline';
  return needsNone ? item : { ...item, state: 'missing' };
}

/** The state of an item that was kept, now that its file is at hand again. */
function stateRestored(kept: UploadItem): UploadItem['state'] {
  return ['paused', 'failed', 'refused'].includes(kept.state) ? kept.state : stateWithFile(kept);
}

type MayRead = (item: UploadItem, handle: FileSystemHandle) => Promise<boolean>;

/**
 * Asks the browser whether handles may be read, once for each folder or file that was chosen: a folder's permission
 * holds for all that is in it. With `request` it may ask the reader, and must be called from a click.
 */
export function permissionAsker(mode: 'query' | 'request'): MayRead {
  const asked = new Map<string, Promise<boolean>>();
  const ask = async (handle: WithPermission) => {
    const call = mode === 'query' ? handle.queryPermission : handle.requestPermission;
    return ((await call?.call(handle, { mode: 'read' })) ?? 'granted') === 'granted';
  };
  return (item, handle) => {
    const key = handle.kind === 'directory' ? `${item.source.split('/', 1)[0]}/` : item.source;
    const answer = asked.get(key) ?? ask(handle).catch(() => false);
    asked.set(key, answer);
    return answer;
  };
}

/** The handle of the file itself: in a folder that was chosen it is found by its source. Throws when it is gone. */
async function handleOf(item: UploadItem, handle: FileSystemHandle): Promise<FileSystemFileHandle> {
  if (handle.kind === 'file') return handle as FileSystemFileHandle;
  const [, ...names] = item.source.split('/');
  const last = names.pop() ?? '';
  let folder = handle as FileSystemDirectoryHandle;
  for (const name of names) folder = await folder.getDirectoryHandle(name);
  return folder.getFileHandle(last);
}

/** The file as the browser kept it: from its bytes, or from its handle if it may be read. Null when it is another by now. Throws when it is gone. */
export async function restoreFile(
  item: UploadItem,
  content: Blob | undefined,
  handle: FileSystemHandle | undefined,
  mayRead: MayRead,
): Promise<File | null> {
  if (content) return new File([content], nameOf(item), { lastModified: item.modifiedMs });
  if (!handle || !(await mayRead(item, handle))) return null;
  const file = await (await handleOf(item, handle)).getFile();
  return isSameFile(item, { sizeBytes: file.size, modifiedMs: file.lastModified }) ? file : null;
}

/**
 * What the hub has of a file that was begun: how far it is, or that it is in (its last answer was lost), for which
 * the file is not needed any more. Null when there is nothing to say, or the hub is away.
 */
async function askUpload(item: UploadItem): Promise<Partial<UploadItem> | null> {
  if (isFinished(item)) return null;
  if (item.direct) return { sentBytes: bytesIn(item.direct, item.sizeBytes) };
  if (item.uploadUrl === null) return null;
  const found = await askOffset(item.uploadUrl).catch(() => undefined);
  if (found === undefined) return null;
  if (found === null) return { uploadUrl: null, sentBytes: 0 };
  if (found.sha256 !== null) return { state: 'done', step: 'finished', sha256: found.sha256, reason: '' };
  return { sentBytes: found.offsetBytes };
}

/** Looks how far each begun upload is, while the page is shown already. What moves again meanwhile knows better. */
async function askHub(run: UploadRun, items: readonly UploadItem[]): Promise<void> {
  for (const { id } of items) {
    const item = run.queue.get(id);
    if (item?.state !== 'missing' && item?.state !== 'paused') continue;
    const found = await askUpload(item);
    if (found && run.queue.get(id) === item) run.change(id, found);
  }
}

/** Takes up what the browser kept of a run: its files where they can be had, and how far each got. */
export async function takeUpKept(
  run: UploadRun,
  kept: { queue: KeptQueue; items: readonly UploadItem[]; sources: ReadonlyMap<string, KeptSource> },
): Promise<void> {
  run.isFlat = kept.queue.isFlat;
  run.draft = draftOf(kept.queue);
  const items = kept.items.toSorted(bySource);
  for (const item of items) {
    run.paths.add(item);
    run.queue.put(withoutFile(item));
  }
  const missing = items.filter(({ id }) => run.queue.get(id)?.state === 'missing');
  await run.sources.restore(missing, kept.sources, 'query', (item) =>
    run.queue.patch(item.id, { state: stateRestored(item) }),
  );
  void askHub(run, items);
  void run.overlaps.refresh();
}

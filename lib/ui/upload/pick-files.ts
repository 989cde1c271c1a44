import { type ChosenFile, isJunk } from './upload-item.ts';
import { type Chosen, MAX_FILES } from './walk-drop.ts';

type Pickers = Window & {
  showOpenFilePicker?(options: { multiple: true }): Promise<FileSystemFileHandle[]>;
  showDirectoryPicker?(): Promise<FileSystemDirectoryHandle>;
};
type Listable = FileSystemDirectoryHandle & {
  values(): AsyncIterable<FileSystemFileHandle | FileSystemDirectoryHandle>;
};
const MAX_DEPTH = 64;

/** Whether this browser's pickers give handles, with which it gives a file again after a restart. */
export function hasPickers(what: 'files' | 'folder'): boolean {
  return what === 'files' ? 'showOpenFilePicker' in window : 'showDirectoryPicker' in window;
}

interface Found {
  readonly source: string;
  readonly handle: FileSystemFileHandle;
}

async function* below(
  folder: FileSystemDirectoryHandle,
  source: string,
  depth: number,
): AsyncGenerator<Found | { junk: true }> {
  for await (const child of (folder as Listable).values()) {
    const path = `${source}/${child.name}`;
    if (isJunk(child.kind === 'directory' ? `${path}/` : path)) yield { junk: true };
    else if (child.kind === 'file') yield { source: path, handle: child as FileSystemFileHandle };
    else if (depth < MAX_DEPTH) yield* below(child as FileSystemDirectoryHandle, path, depth + 1);
  }
}

/** `root` is the folder that was chosen: by it the browser gives all of them again. */
async function filesOf(
  found: AsyncIterable<Found | { junk: true }>,
  root?: FileSystemDirectoryHandle,
): Promise<Chosen> {
  const files: ChosenFile[] = [];
  let [junk, unreadable] = [0, 0];
  for await (const each of found) {
    if ('junk' in each) {
      junk++;
      continue;
    }
    if (files.length >= MAX_FILES) return { files, junk, unreadable, isCut: true };
    const file = await each.handle.getFile().catch(() => null);
    if (file) files.push({ source: each.source, file, handle: root ?? each.handle });
    else unreadable++;
  }
  return { files, junk, unreadable, isCut: false };
}

async function* named(handles: readonly FileSystemFileHandle[]) {
  for (const handle of handles) yield { source: handle.name, handle };
}

/** Lets the reader choose files or a folder. Must be called from a click. Returns what reads them; null when nothing was chosen. */
export async function pickFiles(what: 'files' | 'folder'): Promise<(() => Promise<Chosen>) | null> {
  const pickers = window as Pickers;
  if (what === 'files') {
    const handles = await pickers.showOpenFilePicker?.({ multiple: true }).catch(() => null);
    return handles ? () => filesOf(named(handles)) : null;
  }
  const folder = await pickers.showDirectoryPicker?.().catch(() => null);
  return folder ? () => filesOf(below(folder, folder.name, 1), folder) : null;
}

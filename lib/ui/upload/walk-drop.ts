import { type ChosenFile, isJunk } from './upload-item.ts';

/** More files than this are a mistake, or a job for `hf upload`; the rest of a drop is not looked at. */
export const MAX_FILES = 10_000;
const MAX_DEPTH = 64;

/** What a drop or a picker gave. */
export interface Chosen {
  readonly files: readonly ChosenFile[];
  /** Files that systems leave in folders, left out. */
  readonly junk: number;
  /** Files and folders that could not be read. */
  readonly unreadable: number;
  /** There was more than MAX_FILES. */
  readonly isCut: boolean;
}

/** The part of the File and Directory Entries API that a walk needs. */
export interface DropEntry {
  readonly name: string;
  readonly isFile: boolean;
  readonly isDirectory: boolean;
}
interface FileEntry extends DropEntry {
  file(found: (file: File) => void, failed: (error: unknown) => void): void;
}
interface FolderEntry extends DropEntry {
  createReader(): {
    readEntries(found: (entries: DropEntry[]) => void, failed: (error: unknown) => void): void;
  };
}

/** One thing that was dropped: its entry, and where browsers have it a handle to ask for the file again. */
export interface Dropped {
  readonly entry: DropEntry;
  readonly handle?: Promise<FileSystemHandle | null> | undefined;
}

function entryOf(file: File): FileEntry {
  return { name: file.name, isFile: true, isDirectory: false, file: (found) => found(file) };
}

/** Takes what a drop holds. Must be called while the event is handled: afterwards a browser gives nothing. */
export function takeDropped(items: DataTransferItemList): Dropped[] {
  return [...items].flatMap((item): Dropped[] => {
    if (item.kind !== 'file') return [];
    const file = item.getAsFile();
    // a browser without entries, or a drop made by a script: the file alone
    const entry = item.webkitGetAsEntry() ?? (file && entryOf(file));
    if (!entry) return [];
    const withHandle = item as { getAsFileSystemHandle?: () => Promise<FileSystemHandle | null> };
    return [{ entry, handle: withHandle.getAsFileSystemHandle?.().catch(() => null) }];
  });
}

class Walk {
  readonly files: ChosenFile[] = [];
  junk = 0;
  unreadable = 0;
  isCut = false;

  async visit(
    entry: DropEntry,
    parent: string,
    root: FileSystemHandle | undefined,
    depth: number,
  ): Promise<void> {
    const source = parent === '' ? entry.name : `${parent}/${entry.name}`;
    if (this.isCut) return;
    if (isJunk(entry.isDirectory ? `${source}/` : source)) {
      this.junk++;
      return;
    }
    try {
      if (entry.isFile) await this.take(entry as FileEntry, source, root);
      else if (entry.isDirectory && depth < MAX_DEPTH)
        await this.enter(entry as FolderEntry, source, root, depth);
      else this.unreadable++;
    } catch {
      this.unreadable++;
    }
  }

  private async take(entry: FileEntry, source: string, root: FileSystemHandle | undefined): Promise<void> {
    const file = await new Promise<File>((found, failed) => entry.file(found, failed));
    if (this.files.length >= MAX_FILES) this.isCut = true;
    else this.files.push({ source, file, handle: root });
  }

  private async enter(
    entry: FolderEntry,
    source: string,
    root: FileSystemHandle | undefined,
    depth: number,
  ): Promise<void> {
    const reader = entry.createReader();
    for (;;) {
      // a browser gives a hundred at a time, and none at the end
      const some = await new Promise<DropEntry[]>((found, failed) => reader.readEntries(found, failed));
      if (some.length === 0 || this.isCut) return;
      for (const each of some) await this.visit(each, source, root, depth + 1);
    }
  }
}

/** All files below what was dropped, with their paths. Never throws: what cannot be read is counted. */
export async function walkDropped(dropped: readonly Dropped[]): Promise<Chosen> {
  const walk = new Walk();
  for (const { entry, handle } of dropped) await walk.visit(entry, '', (await handle) ?? undefined, 0);
  const { files, junk, unreadable, isCut } = walk;
  return { files, junk, unreadable, isCut };
}

/** What browsers call a picture that has no name, as from a screenshot. */
const UNNAMED = /^image\.(png|jpe?g|gif|webp|bmp|tiff)$/;

/** Pasted pictures without a name, named by the time (UTC), so that one does not take the place of another. */
export function namePasted(chosen: Chosen, atMs: number): Chosen {
  const time = new Date(atMs).toISOString().slice(0, 23).replaceAll(':', '').replace('T', '-');
  const files = chosen.files.map((each, i) => {
    const [, kind] = UNNAMED.exec(each.source) ?? [];
    if (kind === undefined) return each;
    return { ...each, source: `pasted-${time}${i === 0 ? '' : `-${i + 1}`}.${kind}` };
  });
  return { ...chosen, files };
}

/** The files of an input, with `webkitdirectory` or without. */
export function chosenOf(list: Iterable<File>): Chosen {
  const files: ChosenFile[] = [];
  let [junk, isCut] = [0, false];
  for (const file of list) {
    const source = file.webkitRelativePath || file.name;
    if (isJunk(source)) junk++;
    else if (files.length >= MAX_FILES) isCut = true;
    else files.push({ source, file });
  }
  return { files, junk, unreadable: 0, isCut };
}

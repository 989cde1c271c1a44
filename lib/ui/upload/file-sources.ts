import { pacer } from './pace.ts';
import type { KeptSource } from './queue-store.ts';
import { permissionAsker, restoreFile } from './restore-files.ts';
import type { ChosenFile, UploadItem } from './upload-item.ts';

/** The files of an upload that are at hand in this tab, and by what the browser gives others again. */
export class FileSources {
  readonly files = new Map<string, File>();
  private readonly handles = new Map<string, FileSystemHandle>();

  /** Takes a file; returns it with its handle, an earlier one where it was chosen without. */
  take(id: string, { file, handle }: Pick<ChosenFile, 'file' | 'handle'>) {
    this.files.set(id, file);
    if (handle) this.handles.set(id, handle);
    return { file, handle: this.handles.get(id) };
  }

  drop(id: string): void {
    this.files.delete(id);
    this.handles.delete(id);
  }

  clear(): void {
    this.files.clear();
    this.handles.clear();
  }

  /** Whether the browser gives the file again after a click. */
  isAskable(item: UploadItem): boolean {
    return item.state === 'missing' && this.handles.has(item.id);
  }

  /**
   * Looks which files the browser gives: without a click (`query`) those whose permission still holds, and with one
   * (`request`) those that the reader allows, who is asked once for each thing that they chose. Calls `found` for each
   * that is the same as before. A handle that leads to another file by now is forgotten when it was asked for.
   */
  async restore(
    items: readonly UploadItem[],
    kept: ReadonlyMap<string, KeptSource>,
    mode: 'query' | 'request',
    found: (item: UploadItem) => void,
  ): Promise<void> {
    const [isAllowed, rest] = [permissionAsker(mode), pacer()];
    for (const item of items) {
      await rest();
      const { content, handle = this.handles.get(item.id) } = kept.get(item.id) ?? {};
      if (handle) this.handles.set(item.id, handle);
      const file = await restoreFile(item, content, handle, isAllowed).catch(() => null);
      if (file) {
        this.files.set(item.id, file);
        found(item);
      } else if (mode === 'request') this.handles.delete(item.id);
    }
  }
}

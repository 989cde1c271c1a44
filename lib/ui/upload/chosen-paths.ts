import type { UploadItem } from './upload-item.ts';
import { commonTop, pathOf } from './upload-place.ts';

/** Where the files of an upload come from, and from that where they will lie. */
export class ChosenPaths {
  private readonly ids = new Map<string, string>();

  idOf(source: string): string | undefined {
    return this.ids.get(source);
  }

  add(item: UploadItem): void {
    this.ids.set(item.source, item.id);
  }

  drop(item: UploadItem): void {
    this.ids.delete(item.source);
  }

  clear(): void {
    this.ids.clear();
  }

  /** The one folder that all files were chosen with, or null. */
  top(): string | null {
    return commonTop(this.ids.keys());
  }

  /** The files whose path is another one below `folder`, with that path; `isFlat` leaves out the name of the chosen folder. */
  apply(items: readonly UploadItem[], folder: string, isFlat: boolean): (readonly [UploadItem, string])[] {
    const leavesOut = isFlat && this.top() !== null;
    return items.flatMap((item) => {
      const path = pathOf(folder, item.source, leavesOut);
      return path === item.path ? [] : [[item, path] as const];
    });
  }
}

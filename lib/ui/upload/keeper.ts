import { type Changes, type KeptQueue, type KeptSource, writeQueue } from './queue-store.ts';
import type { UploadItem } from './upload-item.ts';

const WRITE_AFTER_MS = 300;
/** Small files are kept as they are, so that after a reload nobody has to choose three hundred of them again. */
const KEEP_CONTENT_BYTES = 1024 * 1024;
const KEEP_CONTENTS_BYTES = 64 * 1024 * 1024;

/** Writes what changes in a queue to the browser's database, a few times a second at most. */
export class Keeper {
  /** False once the browser refused to keep something: then a reload forgets the queue. */
  works = true;
  private readonly queueOf: () => KeptQueue;
  private items = new Map<string, UploadItem>();
  private sources = new Map<string, KeptSource>();
  private removed = new Set<string>();
  private isDirty = false;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private writing: Promise<void> = Promise.resolve();
  private contentBytes = 0;

  constructor(queueOf: () => KeptQueue) {
    this.queueOf = queueOf;
  }

  keepItem(item: UploadItem): void {
    this.items.set(item.id, item);
    this.removed.delete(item.id);
    this.touch();
  }

  /** By what the file is had again: its bytes when it is small, else the handle. */
  keepSource(
    { id, sizeBytes }: UploadItem,
    { file, handle }: { file: File; handle?: FileSystemHandle | undefined },
  ): void {
    const fits = sizeBytes <= KEEP_CONTENT_BYTES && this.contentBytes + sizeBytes <= KEEP_CONTENTS_BYTES;
    if (fits) this.contentBytes += sizeBytes;
    // also when there is nothing to keep: what was kept of an earlier file must go
    this.sources.set(id, { id, ...(fits && { content: file }), ...(handle && { handle }) });
    this.touch();
  }

  drop(id: string): void {
    this.items.delete(id);
    this.sources.delete(id);
    this.removed.add(id);
    this.touch();
  }

  /** Something about the queue as a whole changed. */
  touch(): void {
    this.isDirty = true;
    this.timer ??= setTimeout(() => void this.flush(), WRITE_AFTER_MS);
  }

  /** Writes now what was noted. Never throws. */
  flush(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.writing = this.writing.then(() => this.write());
    return this.writing;
  }

  /** Ends writing; what was noted and not written is forgotten. */
  async stop(): Promise<void> {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.isDirty = false;
    await this.writing;
  }

  private async write(): Promise<void> {
    if (!this.isDirty) return;
    const changes: Changes = {
      queue: this.queueOf(),
      items: [...this.items.values()],
      sources: [...this.sources.values()],
      removed: [...this.removed],
    };
    this.items = new Map();
    this.sources = new Map();
    this.removed = new Set();
    this.isDirty = false;
    try {
      await writeQueue(changes).catch(() =>
        // one file that cannot be read, or no room for contents, must not lose the rest
        writeQueue({
          ...changes,
          sources: changes.sources
            .filter((source) => source.handle)
            .map(({ id, handle }) => ({ id, handle })),
        }),
      );
    } catch {
      this.works = false;
    }
  }
}

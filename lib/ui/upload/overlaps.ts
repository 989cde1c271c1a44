import { Hasher } from './hasher.ts';
import { askPreflight } from './preflight.ts';
import type { UploadItem } from './upload-item.ts';
import type { UploadRun } from './upload-run.ts';

const isComparable = ({ how, presentOid, blobOid }: UploadItem) =>
  how === 'inline' && presentOid !== null && blobOid === null;

/**
 * Finds out what the files of an upload would replace, and whether it is the same: hints for a reader, on which nothing
 * else depends. What cannot be found out is left open.
 */
export class Overlaps {
  private readonly run: UploadRun;
  private readonly hasher = new Hasher();
  private turn: Promise<void> = Promise.resolve();

  constructor(run: UploadRun) {
    this.run = run;
  }

  /** Compares small files with what lies at their paths. Large ones have their hash anyway. */
  compare(): Promise<void> {
    return this.queue(() => this.compareSmall());
  }

  /** Asks again what lies at the paths: they, or the branch, changed since the files were judged. */
  refresh(): Promise<void> {
    return this.queue(async () => {
      const { run } = this;
      const items = run.queue.list().filter((item) => item.step !== 'preflight');
      if (items.length === 0) return;
      const { files } = await askPreflight(run.place, items, new Map(), new AbortController().signal);
      for (const { id, path } of items) {
        const item = run.queue.get(id);
        const presentOid = files.get(path)?.oid ?? null;
        if (item?.path === path && item.presentOid !== presentOid) run.change(id, { presentOid });
      }
      await this.compareSmall();
    });
  }

  private queue(deed: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(deed).catch(() => {});
    return this.turn;
  }

  private async compareSmall(): Promise<void> {
    const { run } = this;
    const never = new AbortController().signal;
    for (const { id } of run.queue.list().filter(isComparable)) {
      const file = run.sources.files.get(id);
      const blobOid = file && (await this.hasher.hash(file, () => {}, never, 'git-blob').catch(() => null));
      if (blobOid && run.sources.files.get(id) === file) run.change(id, { blobOid });
    }
    this.hasher.close();
  }
}

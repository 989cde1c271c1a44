import { Keeper } from './keeper.ts';
import type { Room } from './preflight.ts';
import { Queue } from './queue.ts';
import { dropQueue, type KeptQueue, type KeptSource, readQueue } from './queue-store.ts';
import { askForFile, askUpload, isSameFile, restoreItem, stateWithFile } from './restore-files.ts';
import { RunSteps } from './run-steps.ts';
import { dropUpload } from './send-tus.ts';
import { Speed } from './speed.ts';
import { TabClaim } from './tab-claim.ts';
import { type ChosenFile, isFinished, newItem, type UploadItem } from './upload-item.ts';
import { commonTop, pathOf, queueKey, type UploadPlace } from './upload-place.ts';
import type { CommitDraft, UploadView } from './upload-view.ts';

const SHOW_EVERY_MS = 100;
const byPath = (a: { source: string }, b: { source: string }) => (a.source < b.source ? -1 : 1);
const EMPTY_DRAFT: CommitDraft = { summary: '', description: '', asPullRequest: false };

/**
 * One upload: its files, what is done for them and what is kept of them. It lives as long as the tab, so that it
 * goes on while its reader looks at other pages.
 */
export class UploadRun {
  readonly place: UploadPlace;
  readonly queue = new Queue();
  readonly files = new Map<string, File>();
  blocked: string | null = null;
  room: Room | null = null;
  isFlat: boolean;
  draft = EMPTY_DRAFT;
  /** Bytes that this tab handed to the network: what the speed is told from. */
  movedBytes = 0;
  private readonly key: string;
  private readonly steps: RunSteps;
  private readonly keeper: Keeper;
  private readonly claim: TabClaim;
  private readonly speed = new Speed();
  private readonly handles = new Map<string, FileSystemFileHandle>();
  private readonly bySource = new Map<string, string>();
  private readonly listeners = new Set<() => void>();
  private isLoaded = false;
  private showing: ReturnType<typeof setTimeout> | null = null;
  private view: UploadView;

  constructor(place: UploadPlace) {
    this.place = place;
    this.key = queueKey(place);
    this.isFlat = place.folder === '';
    this.steps = new RunSteps(this);
    this.keeper = new Keeper(() => this.kept());
    this.claim = new TabClaim(this.key);
    this.view = this.look();
    window.addEventListener('beforeunload', (event) => {
      void this.keeper.flush();
      if (this.steps.isBusy()) event.preventDefault();
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): UploadView => this.view;

  /** Takes up what the browser kept. Called once. */
  async load(): Promise<void> {
    const isThere = await readQueue(this.key).catch(() => {
      this.keeper.works = false;
      return null;
    });
    if (isThere) {
      await this.claim.take(() => this.show());
      const kept = await readQueue(this.key).catch(() => null);
      if (kept) await this.adopt(kept.queue, kept.items, kept.sources);
    }
    this.isLoaded = true;
    this.show();
    this.steps.pump();
  }

  /** Adds files, or gives those back that are missing. What is there already is not begun anew. */
  async add(chosen: readonly ChosenFile[]): Promise<void> {
    await this.claim.take(() => this.show());
    if (this.queue.size === 0) this.isFlat = this.place.folder === '';
    for (const { source, file, handle } of chosen.toSorted(byPath)) {
      const id = this.bySource.get(source) ?? crypto.getRandomValues(new Uint32Array(2)).join('-');
      const before = this.queue.get(id);
      this.files.set(id, file);
      if (handle) this.handles.set(id, handle);
      this.keeper.keepSource(id, file, handle);
      if (before && isSameFile(before, file)) {
        if (before.state === 'missing') this.change(id, { state: stateWithFile(before), reason: '' });
        continue;
      }
      if (before) this.steps.stop(id);
      this.begin(id, source, file);
    }
    this.setPaths();
    this.blocked = null;
    this.steps.pump();
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) {
      this.steps.stop(id);
      const item = this.queue.get(id);
      if (item?.uploadUrl && !isFinished(item)) void dropUpload(item.uploadUrl);
      if (item) this.bySource.delete(item.source);
      this.queue.remove(id);
      this.files.delete(id);
      this.handles.delete(id);
      this.keeper.drop(id);
    }
    if (this.queue.size === 0) void this.clear();
    this.steps.pump();
  }

  pause(ids: readonly string[]): void {
    for (const id of ids) {
      const item = this.queue.get(id);
      if (!item || isFinished(item) || ['missing', 'refused', 'failed'].includes(item.state)) continue;
      this.steps.stop(id);
      this.change(id, { state: 'paused' });
    }
    this.steps.pump();
  }

  /** Goes on with what is paused or failed. */
  resume(ids: readonly string[]): void {
    for (const id of ids) {
      const item = this.queue.get(id);
      if (item?.state !== 'paused' && item?.state !== 'failed') continue;
      const isThere = this.files.has(id);
      // an upload that failed for good begins anew, from the hash on: the file may have changed meanwhile
      const isAnew = item.state === 'failed' && item.step === 'send' && item.uploadUrl === null;
      this.change(id, {
        state: isThere ? 'waiting' : 'missing',
        reason: '',
        ...(isAnew && { step: 'hash', sha256: null }),
      });
    }
    this.blocked = null;
    this.steps.pump();
  }

  /** Asks the browser for the files that it gives after a click. */
  async askForFiles(): Promise<void> {
    for (const item of this.queue.list()) {
      const handle = this.handles.get(item.id);
      if (item.state !== 'missing' || !handle) continue;
      const file = await askForFile(item, handle);
      if (!file) {
        this.handles.delete(item.id);
        continue;
      }
      this.files.set(item.id, file);
      this.change(item.id, { state: stateWithFile(item) });
    }
    this.show();
    this.steps.pump();
  }

  /** Whether the name of the chosen folder is left out of the paths. */
  setFlat(isFlat: boolean): void {
    this.isFlat = isFlat;
    this.setPaths();
    this.keeper.touch();
    this.steps.pump();
  }

  setDraft(draft: CommitDraft): void {
    this.draft = draft;
    this.keeper.touch();
    this.show();
  }

  /** Changes one file; kept and shown soon. */
  change(id: string, change: Partial<UploadItem>): void {
    const item = this.queue.patch(id, change);
    if (item) this.keeper.keepItem(item);
    this.show();
  }

  /** As change, but too often to be written down: the hub knows how far a file is. */
  progress(id: string, change: Partial<UploadItem>): void {
    this.queue.patch(id, change);
    this.show();
  }

  /** Writes an address down before bytes are sent to it. */
  keepNow(): Promise<void> {
    return this.keeper.flush();
  }

  /** The upload is over, committed or thrown away: nothing of it stays in this browser. */
  async clear(): Promise<void> {
    for (const item of this.queue.list()) {
      this.steps.stop(item.id);
      this.queue.remove(item.id);
    }
    this.files.clear();
    this.handles.clear();
    this.bySource.clear();
    this.draft = EMPTY_DRAFT;
    this.blocked = null;
    this.speed.reset();
    await this.keeper.stop();
    await dropQueue(this.key).catch(() => {});
    this.claim.release();
    this.show();
  }

  show(): void {
    this.showing ??= setTimeout(() => {
      this.showing = null;
      this.view = this.look();
      for (const listener of this.listeners) listener();
    }, SHOW_EVERY_MS);
  }

  private begin(id: string, source: string, file: File): void {
    this.bySource.set(source, id);
    this.queue.put(newItem(id, source, file));
  }

  /** Gives every file its path. What is on its way stays so: the commit says where it lies. */
  private setPaths(): void {
    const isFlat = this.isFlat && commonTop(this.bySource.keys()) !== null;
    for (const item of this.queue.list()) {
      const path = pathOf(this.place.folder, item.source, isFlat);
      if (path !== item.path || item.step === 'preflight') this.change(item.id, { path });
    }
  }

  private async adopt(
    queue: KeptQueue,
    items: readonly UploadItem[],
    sources: ReadonlyMap<string, KeptSource>,
  ): Promise<void> {
    this.isFlat = queue.isFlat;
    this.draft = {
      summary: queue.summary,
      description: queue.description,
      asPullRequest: queue.asPullRequest,
    };
    for (const item of items.toSorted(byPath)) {
      this.bySource.set(item.source, item.id);
      const source = sources.get(item.id);
      if (source?.handle) this.handles.set(item.id, source.handle);
      const restored = await restoreItem(item, source);
      if (restored.file) this.files.set(item.id, restored.file);
      this.queue.put(restored.item);
    }
    void this.askHub(items);
  }

  /** Looks how far each begun upload is, while the page is shown already. What moves again knows better. */
  private async askHub(items: readonly UploadItem[]): Promise<void> {
    for (const { id } of items) {
      const item = this.queue.get(id);
      if (item?.state !== 'missing' && item?.state !== 'paused') continue;
      const found = await askUpload(item);
      if (found && this.queue.get(id) === item) this.change(id, found);
    }
  }

  private look(): UploadView {
    const totals = this.queue.totals();
    const isMoving = totals.states.sending > 0;
    if (isMoving) this.speed.look(performance.now(), this.movedBytes);
    else this.speed.reset();
    const items = this.queue.list();
    return {
      isLoaded: this.isLoaded,
      isElsewhere: this.claim.isElsewhere,
      isKept: this.keeper.works,
      items,
      totals,
      bytesPerSecond: this.speed.bytesPerSecond(),
      msLeft: this.speed.msLeft(totals.bytes - totals.sentBytes),
      blocked: this.blocked,
      room: this.room,
      askable:
        totals.states.missing === 0
          ? 0
          : items.filter((item) => item.state === 'missing' && this.handles.has(item.id)).length,
      top: commonTop(this.bySource.keys()),
      isFlat: this.isFlat,
      draft: this.draft,
    };
  }

  private kept(): KeptQueue {
    const { repo, branch, folder, user } = this.place;
    const { files, finished } = this.queue.totals();
    return { key: this.key, user, repo, branch, folder, ...this.draft, isFlat: this.isFlat, files, finished };
  }
}

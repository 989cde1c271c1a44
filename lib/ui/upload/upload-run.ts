import { ChosenPaths } from './chosen-paths.ts';
import { FileSources } from './file-sources.ts';
import { Keeper } from './keeper.ts';
import { Overlaps } from './overlaps.ts';
import { pacer } from './pace.ts';
import type { Room } from './preflight.ts';
import { Queue } from './queue.ts';
import { dropQueue, hasQueue, type KeptQueue, readQueue } from './queue-store.ts';
import { isSameFile, missingTwin, stateWithFile, takeUpKept } from './restore-files.ts';
import { RunSteps } from './run-steps.ts';
import { dropUpload } from './send-tus.ts';
import { ShownView } from './shown-view.ts';
import { Speed } from './speed.ts';
import { TabClaim } from './tab-claim.ts';
import { bySource, type ChosenFile, isFinished, newItem, type UploadItem } from './upload-item.ts';
import { queueKey, type UploadPlace } from './upload-place.ts';
import { type CommitDraft, type UploadView, viewOf } from './upload-view.ts';

const EMPTY_DRAFT: CommitDraft = { summary: '', description: '', asPullRequest: false };

/**
 * One upload: its files, what is done for them and what is kept of them. It lives as long as the tab, so that it
 * goes on while its reader looks at other pages.
 */
export class UploadRun {
  readonly place: UploadPlace;
  readonly queue = new Queue();
  readonly sources = new FileSources();
  readonly overlaps: Overlaps;
  readonly shown: ShownView;
  blocked: string | null = null;
  room: Room | null = null;
  isFlat: boolean;
  draft = EMPTY_DRAFT;
  /** Bytes that this tab handed to the network: what the speed is told from. */
  movedBytes = 0;
  private readonly key: string;
  readonly steps: RunSteps;
  private readonly keeper: Keeper;
  private readonly claim: TabClaim;
  private readonly speed = new Speed();
  readonly paths = new ChosenPaths();
  private isLoaded = false;

  constructor(place: UploadPlace) {
    this.place = place;
    this.key = queueKey(place);
    this.isFlat = place.folder === '';
    this.steps = new RunSteps(this);
    this.overlaps = new Overlaps(this);
    this.keeper = new Keeper(() => this.kept());
    this.claim = new TabClaim(this.key);
    this.shown = new ShownView(() => this.look());
    window.addEventListener('beforeunload', (event) => {
      void this.keeper.flush();
      if (this.steps.isBusy()) event.preventDefault();
    });
  }

  /** Takes up what the browser kept. Called once. */
  async load(): Promise<void> {
    const isThere = await hasQueue(this.key).catch(() => {
      this.keeper.works = false;
      return false;
    });
    if (isThere) {
      await this.claim.take(() => this.show());
      const kept = await readQueue(this.key).catch(() => null);
      if (kept) await takeUpKept(this, kept);
    }
    this.isLoaded = true;
    this.show();
    this.steps.pump();
  }

  /**
   * Adds files, or gives those back that are missing. What is there already is not begun anew. Returns how many are not
   * what they were when they were chosen before, and so begin at their first byte.
   */
  async add(chosen: readonly ChosenFile[]): Promise<number> {
    await this.claim.take(() => this.show());
    if (this.queue.size === 0) this.isFlat = this.place.folder === '';
    const rest = pacer();
    const items: [UploadItem, ChosenFile][] = [];
    for (const each of chosen.toSorted(bySource)) {
      await rest(); // a browser asks the disk for the size of each
      const id = crypto.getRandomValues(new Uint32Array(2)).join('-');
      items.push([newItem(id, each.source, each.file), each]);
    }
    const changed = items.filter(([item, each]) => this.take(item, each) === 'changed').length;
    this.setPaths();
    this.goOn();
    return changed;
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) {
      const item = this.queue.get(id);
      if (!item) continue;
      this.forget(item);
      this.paths.drop(item);
      this.queue.remove(id);
      this.keeper.drop(id);
    }
    if (this.queue.size === 0) void this.clear();
    this.steps.pump();
  }

  /** Begins what can begin by now. */
  goOn(): void {
    this.blocked = null;
    this.steps.pump();
  }

  /** Asks the browser for the files that it gives after a click. */
  async askForFiles(): Promise<void> {
    const askable = this.queue.list().filter((item) => this.sources.isAskable(item));
    await this.sources.restore(askable, new Map(), 'request', (item) =>
      this.change(item.id, { state: stateWithFile(item) }),
    );
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
    this.sources.clear();
    this.paths.clear();
    this.draft = EMPTY_DRAFT;
    this.blocked = null;
    this.speed.reset();
    await this.keeper.stop();
    await dropQueue(this.key).catch(() => {});
    this.claim.release();
    this.show();
  }

  show(): void {
    this.shown.touch();
  }

  /** Puts a chosen file into the queue, or in the place of the one that it was chosen for. */
  private take(fresh: UploadItem, chosen: ChosenFile): 'new' | 'known' | 'changed' {
    const isMissing = this.queue.totals().states.missing > 0;
    const before =
      this.queue.get(this.paths.idOf(fresh.source) ?? '') ??
      (isMissing ? missingTwin(this.queue.list(), fresh) : undefined);
    if (before && isSameFile(before, fresh)) {
      this.keeper.keepSource(before, this.sources.take(before.id, chosen));
      if (before.state === 'missing') this.change(before.id, { state: stateWithFile(before), reason: '' });
      return 'known';
    }
    const item = { ...fresh, id: before?.id ?? fresh.id };
    if (before) this.forget(before);
    this.keeper.keepSource(item, this.sources.take(item.id, chosen));
    this.paths.add(item);
    this.queue.put(item);
    this.keeper.keepItem(item);
    return before ? 'changed' : 'new';
  }

  /** Stops what is done for a file, at the hub too, and lets its content go. */
  private forget(item: UploadItem): void {
    this.steps.stop(item.id);
    if (item.uploadUrl && !isFinished(item)) void dropUpload(item.uploadUrl);
    this.sources.drop(item.id);
  }

  /** Gives every file its path. What is on its way stays so: the commit says where it lies. */
  private setPaths(): void {
    const moved = this.paths.apply(this.queue.list(), this.place.folder, this.isFlat);
    for (const [item, path] of moved) {
      const isRefused = item.state === 'refused'; // for a path that it no longer has
      this.change(item.id, { path, presentOid: null, ...(isRefused && { state: 'waiting', reason: '' }) });
    }
    if (moved.some(([item]) => item.step !== 'preflight')) void this.overlaps.refresh();
  }

  private look(): UploadView {
    const { isLoaded, speed } = this;
    const isMoving = this.queue.totals().states.sending > 0;
    if (isMoving) speed.look(performance.now(), this.movedBytes);
    else speed.reset();
    return viewOf(this, {
      isLoaded,
      isElsewhere: this.claim.isElsewhere,
      isKept: this.keeper.works,
      bytesPerSecond: speed.bytesPerSecond(),
      msLeft: speed.msLeft(this.queue.bytesLeft),
    });
  }

  private kept(): KeptQueue {
    const { repo, branch, folder, user } = this.place;
    const { files, finished } = this.queue.totals();
    return { key: this.key, user, repo, branch, folder, ...this.draft, isFlat: this.isFlat, files, finished };
  }
}

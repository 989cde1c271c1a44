import type { UploadView } from './upload-view.ts';

const SHOW_EVERY_MS = 100;

/** What a page shows of an upload, looked at anew a few times a second at most however often something changes. */
export class ShownView {
  private readonly look: () => UploadView;
  private readonly listeners = new Set<() => void>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  private view: UploadView;

  constructor(look: () => UploadView) {
    this.look = look;
    this.view = look();
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  readonly current = (): UploadView => this.view;

  /** Something changed. */
  touch(): void {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.view = this.look();
      for (const listener of this.listeners) listener();
    }, SHOW_EVERY_MS);
  }
}

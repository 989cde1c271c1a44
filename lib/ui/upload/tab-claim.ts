/** The right of one tab to work on a queue: two tabs would send the same files twice. */
export class TabClaim {
  /** True while another tab has it. */
  isElsewhere = false;
  private readonly name: string;
  private held: Promise<void> | null = null;
  private let: (() => void) | null = null;

  constructor(key: string) {
    this.name = `larder-upload:${key}`;
  }

  /**
   * Resolves when this tab has the claim: at once, or when the other tab is closed or done; `onWait` is called when
   * it has to wait. Where the browser has no locks (no https) it is given at once.
   */
  take(onWait: () => void): Promise<void> {
    if (!('locks' in navigator)) return Promise.resolve();
    this.held ??= new Promise((resolve, reject) => {
      const hold = () => {
        this.isElsewhere = false;
        resolve();
        return new Promise<void>((release) => {
          this.let = release;
        });
      };
      const first = async (lock: Lock | null) => {
        if (lock) return hold();
        this.isElsewhere = true;
        onWait();
        void navigator.locks.request(this.name, hold).catch(reject);
      };
      navigator.locks.request(this.name, { ifAvailable: true }, first).catch(reject);
    });
    return this.held;
  }

  release(): void {
    this.let?.();
    this.let = null;
    this.held = null;
  }
}

/** Bytes a second as a reader wants to see them: calm, and soon right after a change. */
const HALF_LIFE_MS = 4_000;
/** Two looks closer than this are one: the clock of a browser is coarse. */
const MIN_STEP_MS = 200;

/** Estimates the speed of an upload from looks at how much was sent. Times come from the caller, in ms. */
export class Speed {
  private lastMs: number | null = null;
  private lastBytes = 0;
  private rate: number | null = null;

  /** Notes that `bytes` were sent in all by now. Going back (after a break) begins a new count without a dip. */
  look(nowMs: number, bytes: number): void {
    if (this.lastMs === null || bytes < this.lastBytes) {
      this.lastMs = nowMs;
      this.lastBytes = bytes;
      return;
    }
    const passedMs = nowMs - this.lastMs;
    if (passedMs < MIN_STEP_MS) return;
    const now = ((bytes - this.lastBytes) / passedMs) * 1000;
    const weight = 0.5 ** (passedMs / HALF_LIFE_MS);
    this.rate = this.rate === null ? now : this.rate * weight + now * (1 - weight);
    this.lastMs = nowMs;
    this.lastBytes = bytes;
  }

  /** Forgets everything: nothing is being sent now. */
  reset(): void {
    this.lastMs = null;
    this.rate = null;
  }

  /** Bytes a second; null while it cannot be told. */
  bytesPerSecond(): number | null {
    return this.rate === null || this.rate < 1 ? null : this.rate;
  }

  /** Milliseconds until `bytesLeft` are sent; null while it cannot be told. */
  msLeft(bytesLeft: number): number | null {
    const rate = this.bytesPerSecond();
    return rate === null ? null : (bytesLeft / rate) * 1000;
  }
}

/** Memory that all streams of a kind in a process have together: the more there are, the smaller are their buffers. */
export class MemoryBudget {
  readonly #totalBytes: number;
  #streams = 0;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  /** Counts one more stream until the returned function is called. */
  enter(): () => void {
    this.#streams++;
    let isIn = true;
    return () => {
      if (isIn) this.#streams--;
      isIn = false;
    };
  }

  /** Bytes that one stream may hold now. */
  get share(): number {
    return this.#totalBytes / Math.max(this.#streams, 1);
  }
}

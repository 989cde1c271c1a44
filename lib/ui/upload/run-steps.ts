import { CallError } from '../call-hub.ts';
import { waitForNetwork } from './back-off.ts';
import { Hasher } from './hasher.ts';
import { askPreflight, type FileVerdict, linkStored, type Preflight } from './preflight.ts';
import { sendFile } from './send-file.ts';
import { sendUntilDone } from './sending.ts';
import type { UploadItem } from './upload-item.ts';
import type { UploadRun } from './upload-run.ts';

/** Files that are sent at the same time: one of them the largest, the others the smallest first. */
const SEND_AT_ONCE = 3;
const LINKS_A_CALL = 500;
const TICK_MS = 1_000;

/** What a verdict makes of a file. */
function afterVerdict(
  verdict: FileVerdict | undefined,
  transfer: Preflight['transfer'],
): Partial<UploadItem> {
  const presentOid = verdict?.oid ?? null;
  switch (verdict?.how) {
    case 'inline':
      return { how: 'inline', step: 'finished', state: 'ready', presentOid };
    case 'refused':
      return { state: 'refused', reason: verdict.reason ?? '' };
    case 'upload':
    case 'stored': {
      const sendsAtOnce = verdict.maybeStored === false && transfer === 'tus';
      return {
        how: 'upload',
        step: sendsAtOnce ? 'send' : 'hash',
        mayGoDirect: transfer === 'direct',
        presentOid,
      };
    }
    default:
      return { state: 'failed', reason: '' };
  }
}

/**
 * Does what is to be done for the files of a run: asks about all of them first, hashes one at a time, gives the
 * repo what the hub has, sends the rest. While the hub refuses a file, nothing new begins until its reader has
 * decided. A step that is under way is stopped by its file's own signal.
 */
export class RunSteps {
  private readonly run: UploadRun;
  private readonly hasher = new Hasher();
  private readonly stops = new Map<string, AbortController>();
  private readonly sending = new Set<string>();
  /** False once the store could not be reached from this browser. */
  private canReachStore = true;
  private hashing: string | null = null;
  private large: string | null = null;
  private isAsking = false;
  private isLinking = false;
  private tick: ReturnType<typeof setInterval> | null = null;

  constructor(run: UploadRun) {
    this.run = run;
  }

  /** Whether leaving the page now would stop something. */
  isBusy(): boolean {
    return this.stops.size > 0;
  }

  /** Begins what can begin. Called after every change. */
  pump(): void {
    const { run } = this;
    run.show();
    if (run.blocked !== null) return;
    if (!this.isAsking && run.queue.waitingFor('preflight', 1).length > 0) void this.ask();
    if (this.isAsking || run.queue.totals().states.refused > 0) return;
    if (!this.isLinking && run.queue.waitingFor('link', 1).length > 0) void this.link();
    const toHash = this.hashing === null ? run.queue.next('hash', 'smallest') : undefined;
    if (toHash) void this.hash(toHash);
    while (this.sending.size < SEND_AT_ONCE) {
      const isLarge = this.large === null;
      const item = run.queue.next('send', isLarge ? 'largest' : 'smallest');
      if (!item) break;
      if (isLarge) this.large = item.id;
      void this.send(item);
    }
  }

  /** Stops whatever is being done for a file. */
  stop(id: string): void {
    this.stops.get(id)?.abort();
  }

  private begin(id: string): AbortSignal {
    const stop = new AbortController();
    this.stops.set(id, stop);
    this.tick ??= setInterval(() => this.run.show(), TICK_MS);
    return stop.signal;
  }

  private end(id: string, signal: AbortSignal): void {
    if (this.stops.get(id)?.signal === signal) this.stops.delete(id);
    if (this.stops.size === 0 && this.tick) {
      clearInterval(this.tick);
      this.tick = null;
    }
    this.pump();
  }

  /** Calls the hub until it answers; null when it said no, which is shown. */
  private async call<T>(deed: (signal: AbortSignal) => Promise<T>): Promise<T | null> {
    const never = new AbortController().signal;
    for (let tries = 1; ; tries++) {
      try {
        return await deed(never);
      } catch (error) {
        const status = error instanceof CallError ? error.status : 0;
        const isPassing = status === 0 || status === 429 || status >= 500;
        this.run.blocked = error instanceof CallError ? error.message : '';
        this.run.show();
        if (!isPassing) return null;
        await waitForNetwork(tries, never);
        this.run.blocked = null;
      }
    }
  }

  private async ask(): Promise<void> {
    this.isAsking = true;
    const { run } = this;
    const items = run.queue.waitingFor('preflight');
    const answer = await this.call((signal) => askPreflight(run.place, items, run.sources.files, signal));
    this.isAsking = false;
    if (answer) {
      run.room = answer.room;
      run.blocked = answer.refused;
      for (const { id, path } of items) {
        const isStill = run.queue.get(id)?.step === 'preflight';
        if (isStill && answer.refused === null)
          run.change(id, afterVerdict(answer.files.get(path), answer.transfer));
      }
    }
    void run.overlaps.compare();
    this.pump();
  }

  private async link(): Promise<void> {
    this.isLinking = true;
    const { run } = this;
    const items = run.queue.waitingFor('link', LINKS_A_CALL);
    const linked = await this.call((signal) => linkStored(run.place, items, signal));
    this.isLinking = false;
    for (const { id, sha256 } of linked ? items : []) {
      if (run.queue.get(id)?.step !== 'link') continue;
      const isStored = sha256 !== null && linked?.has(sha256);
      run.change(id, isStored ? { step: 'finished', state: 'stored' } : { step: 'send' });
    }
    this.pump();
  }

  private async hash({ id }: UploadItem): Promise<void> {
    const { run } = this;
    const file = run.sources.files.get(id);
    if (!file) return run.change(id, { state: 'missing' });
    const signal = this.begin(id);
    this.hashing = id;
    run.change(id, { state: 'hashing', hashedBytes: 0 });
    try {
      const sha256 = await this.hasher.hash(file, (hashedBytes) => run.progress(id, { hashedBytes }), signal);
      run.change(id, { state: 'waiting', step: 'link', sha256, hashedBytes: file.size });
    } catch {
      // a file that cannot be read is missing; without workers it is sent unhashed, as the hub hashes anyway
      const canRead = await file
        .slice(0, 1)
        .arrayBuffer()
        .then(Boolean, () => false);
      if (!signal.aborted)
        run.change(id, canRead ? { state: 'waiting', step: 'send' } : { state: 'missing' });
    }
    this.hashing = null;
    this.end(id, signal);
  }

  private async send({ id }: UploadItem): Promise<void> {
    const { run } = this;
    const file = run.sources.files.get(id);
    this.sending.add(id);
    const signal = this.begin(id);
    if (!file) run.change(id, { state: 'missing' });
    else
      await sendUntilDone(
        {
          file,
          item: () => run.queue.get(id),
          change: (change) => run.change(id, change),
          progress: (sentBytes) => {
            run.movedBytes += Math.max(0, sentBytes - (run.queue.get(id)?.sentBytes ?? sentBytes));
            const isAll = sentBytes >= file.size;
            run.progress(id, { sentBytes, state: isAll ? 'checking' : 'sending' });
          },
          keepUrl: (uploadUrl) => {
            run.change(id, { uploadUrl });
            void run.keepNow();
          },
          send: (options) => {
            const item = run.queue.get(id);
            if (!item) throw new DOMException('stopped', 'AbortError');
            return sendFile({ ...options, place: run.place, item }, this.canReachStore, () => {
              this.canReachStore = false;
            });
          },
        },
        signal,
      );
    this.sending.delete(id);
    if (this.large === id) this.large = null;
    this.end(id, signal);
  }
}

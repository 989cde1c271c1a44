import { setTimeout as sleep } from 'node:timers/promises';
import { hubError } from '#lib/base/errors.ts';
import type { Ctx } from '#lib/identity/context.ts';
import { findTusUpload, type TusUpload } from './db.ts';
import { releaseLease, renewLease, takeLease } from './lease-db.ts';

const RENEW_MS = 2_000;
/** A little longer than the lease of a writer that died: a client that resumes at once is not sent away. */
const WAIT_MS = 8_000;
const LOOK_AGAIN_MS = 100;

/** The one answer for an upload that is not there and for one of others. */
export function noSuchUpload() {
  return hubError('not_found', 'there is no such upload: begin a new one');
}

/** Why an upload that has ended takes nothing more. */
export function uploadEnded() {
  return hubError('gone', 'this upload was given up, was refused or has expired: begin a new one');
}

/** What the holder of an upload works with. */
export interface Hold {
  readonly upload: TusUpload;
  /** Aborts when another writer took over. */
  readonly signal: AbortSignal;
  /** To be called when bytes moved: who shows no progress for six seconds can be taken over. */
  readonly progress: () => void;
}

/**
 * Runs `work` as the one writer of an open upload, on any of several processes. Another writer keeps it out for as
 * long as its bytes flow: `locked` after a wait. Throws not_found, gone; an upload that is done is left to `work` as
 * null.
 */
export async function holdUpload<T>(
  ctx: Pick<Ctx, 'db' | 'log'>,
  id: string,
  work: (hold: Hold | null) => Promise<T>,
): Promise<T> {
  const upload = await waitForLease(ctx, id);
  if (upload === null) return work(null);
  const taken = new AbortController();
  let hasMoved = true;
  const timer = setInterval(() => {
    if (!hasMoved) return;
    hasMoved = false;
    renewLease(ctx.db, upload).then(
      (isHeld) => isHeld || taken.abort(hubError('locked', 'another request took over this upload')),
      () => {}, // a database that is away for a moment: recording the next piece decides
    );
  }, RENEW_MS);
  const hold: Hold = {
    upload,
    signal: taken.signal,
    progress: () => {
      hasMoved = true;
    },
  };
  try {
    return await work(hold);
  } finally {
    clearInterval(timer);
    await releaseLease(ctx.db, upload).catch((error) =>
      ctx.log.warn({ err: error, upload: id }, 'an upload stays held for some seconds'),
    );
  }
}

/** The upload with its lease, or null when it is done. */
async function waitForLease(ctx: Pick<Ctx, 'db'>, id: string): Promise<TusUpload | null> {
  for (const until = performance.now() + WAIT_MS; ; await sleep(LOOK_AGAIN_MS)) {
    const held = await takeLease(ctx.db, id);
    if (held) return held;
    const upload = await findTusUpload(ctx.db, id);
    if (upload === null) throw noSuchUpload();
    if (upload.state === 'aborted') throw uploadEnded();
    if (upload.state === 'done') return null;
    if (performance.now() > until)
      throw hubError('locked', 'another request is writing to this upload: try again');
  }
}

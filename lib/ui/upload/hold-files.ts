import { isFinished } from './upload-item.ts';
import type { UploadRun } from './upload-run.ts';

const HELD = new Set(['missing', 'refused', 'failed']);

/** Stops what is done for these files; what arrived stays where it is. */
export function pauseFiles(run: UploadRun, ids: readonly string[]): void {
  for (const id of ids) {
    const item = run.queue.get(id);
    if (!item || isFinished(item) || HELD.has(item.state)) continue;
    run.steps.stop(id);
    run.change(id, { state: 'paused' });
  }
  run.steps.pump();
}

/** Goes on with those of these files that are paused or failed. */
export function resumeFiles(run: UploadRun, ids: readonly string[]): void {
  for (const id of ids) {
    const item = run.queue.get(id);
    if (item?.state !== 'paused' && item?.state !== 'failed') continue;
    // an upload that failed for good begins anew, from the hash on: the file may have changed meanwhile
    const isAnew = item.state === 'failed' && item.step === 'send' && item.uploadUrl === null;
    run.change(id, {
      state: run.sources.files.has(id) ? 'waiting' : 'missing',
      reason: '',
      ...(isAnew && { step: 'hash', sha256: null }),
    });
  }
  run.goOn();
}

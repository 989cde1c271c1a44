import { useSyncExternalStore } from 'react';
import { queueKey, type UploadPlace } from './upload-place.ts';
import { UploadRun } from './upload-run.ts';
import type { UploadView } from './upload-view.ts';

/** The uploads of this tab. They go on while their reader looks at other pages of the hub. */
const runs = new Map<string, UploadRun>();

function runOf(place: UploadPlace): UploadRun {
  const key = queueKey(place);
  let run = runs.get(key);
  if (!run) {
    run = new UploadRun(place);
    runs.set(key, run);
    void run.load();
  }
  return run;
}

const nothing = () => () => {};

/** The upload of a place and what to show of it; null until the page has come to life. */
export function useUploadRun(place: UploadPlace): { run: UploadRun; view: UploadView } | null {
  const isAlive = useSyncExternalStore(
    nothing,
    () => true,
    () => false,
  ); // not yet where the server renders
  const run = isAlive ? runOf(place) : null;
  const view = useSyncExternalStore(
    run?.shown.subscribe ?? nothing,
    () => run?.shown.current() ?? null,
    () => null,
  );
  return run && view ? { run, view } : null;
}

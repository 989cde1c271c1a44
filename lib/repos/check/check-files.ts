import type { App } from '#lib/identity/context.ts';
import { checkCounters } from './check-counters.ts';
import { checkEdges } from './check-edges.ts';
import { checkKeys } from './check-keys.ts';
import { type Bytes, checkObjects, type Progress } from './check-objects.ts';
import { checkXetRows } from './check-xet-rows.ts';
import type { Finding } from './finding.ts';

export interface FilesToCheck {
  /** How many of the objects are read and hashed; without it sizes alone are compared. */
  readonly bytes?: Bytes;
  /** Objects that no row names are garbage only when they are older than this. */
  readonly graceMs?: number;
  readonly onProgress?: (progress: Progress) => void;
}

/** Longer than any upload, any link to one, and any transaction takes. */
const GRACE_MS = 48 * 3600_000;

/**
 * Compares the rows about large files with each other, with the store and, as far as asked, with the bytes in it.
 * Bounded memory but for one number per object of the store; one HEAD per object. The hub may be in use meanwhile.
 */
export async function* checkFiles(app: App, options: FilesToCheck = {}): AsyncGenerator<Finding> {
  yield* checkEdges(app);
  yield* checkXetRows(app);
  yield* checkCounters(app);
  yield* checkObjects(app, options.bytes ?? { share: 0 }, options.onProgress);
  yield* checkKeys(app, options.graceMs ?? GRACE_MS);
}

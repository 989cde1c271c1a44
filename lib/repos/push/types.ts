import type { Oid } from '#lib/base/ids.ts';

/** One line of a push: what a ref was when the client looked, and what it shall be. */
export interface RefCommand {
  /** Full name, not checked yet. */
  readonly ref: string;
  /** Null: the ref shall be new. */
  readonly oldOid: Oid | null;
  /** Null: the ref shall go. */
  readonly newOid: Oid | null;
}

export interface PushRequest {
  readonly commands: readonly RefCommand[];
  /** All refs move or none. */
  readonly isAtomic: boolean;
  /** The pack, as it comes. Empty when refs are only deleted. */
  readonly pack: AsyncIterable<Buffer>;
}

export interface PushReport {
  /** Why the objects were refused, or null. Then no ref has moved. */
  readonly unpackError: string | null;
  /** For each command, in their order: why its ref stays as it was, or null when it has moved. */
  readonly results: readonly { readonly ref: string; readonly error: string | null }[];
}

/**
 * The one error class of the product and its one table of meanings.
 * A formatter per protocol (lib/wire) turns it into bytes; nothing else maps errors to statuses.
 */

/** code -> HTTP status, X-Error-Code of the Hub protocol, and whether the client may simply try again. */
export const ERROR_TABLE = {
  unauthenticated: { status: 401 },
  repo_not_found: { status: 404, hubCode: 'RepoNotFound' }, // 401 when anonymous: see lib/wire/errors.ts
  revision_not_found: { status: 404, hubCode: 'RevisionNotFound' },
  entry_not_found: { status: 404, hubCode: 'EntryNotFound' },
  not_found: { status: 404 },
  moved: { status: 307 }, // not a refusal: what was asked for has another address now
  gated: { status: 403, hubCode: 'GatedRepo' }, // 401 when anonymous
  repo_disabled: { status: 403 },
  forbidden: { status: 403 },
  invalid_input: { status: 400 },
  invalid_path: { status: 422 },
  invalid_object: { status: 422 },
  method_not_allowed: { status: 405 },
  too_large: { status: 413 },
  quota_exceeded: { status: 413 }, // huggingface_hub shows the message of a 413 as it is, that of a 403 as a lack of rights
  range_not_satisfiable: { status: 416 },
  conflict_exists: { status: 409 },
  busy: { status: 409, retryAfterSeconds: 1 },
  offset_conflict: { status: 409 }, // tus: the client asks where the upload is and goes on from there
  gone: { status: 410 },
  ref_moved: { status: 412 },
  unsupported_version: { status: 412 },
  locked: { status: 423, retryAfterSeconds: 1 },
  rate_limited: { status: 429, retryAfterSeconds: 5 },
  not_implemented: { status: 501 },
  not_ready: { status: 503, retryAfterSeconds: 2 },
  overloaded: { status: 503, retryAfterSeconds: 2 },
  storage_full: { status: 507 }, // a person must make room: trying again soon is of no use
  internal: { status: 500 },
} as const satisfies Record<string, { status: number; hubCode?: string; retryAfterSeconds?: number }>;

export type ErrorCode = keyof typeof ERROR_TABLE;

export interface HubErrorOptions {
  /** Machine-readable facts for the client, e.g. { url } on conflict_exists. Never secrets. */
  details?: Record<string, unknown>;
  /** For the log only. */
  internal?: string;
  cause?: unknown;
}

/** An expected refusal. `message` is public: it says what is wrong and how to mend it, in one line. */
export class HubError extends Error {
  readonly isHubError = true;
  readonly code: ErrorCode;
  readonly details: Record<string, unknown>;
  readonly internal: string | undefined;

  constructor(code: ErrorCode, publicMessage: string, options: HubErrorOptions = {}) {
    super(publicMessage, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'HubError';
    this.code = code;
    this.details = options.details ?? {};
    this.internal = options.internal;
  }

  get status(): number {
    return ERROR_TABLE[this.code].status;
  }
}

/** True for a HubError of any copy of this module (Next bundles its own, so instanceof would lie). */
export function isHubError(error: unknown): error is HubError {
  return error instanceof Error && (error as { isHubError?: unknown }).isHubError === true;
}

/** Shorthand used at throw sites: `throw hubError('invalid_input', 'name: …')`. */
export function hubError(code: ErrorCode, publicMessage: string, options?: HubErrorOptions): HubError {
  return new HubError(code, publicMessage, options);
}

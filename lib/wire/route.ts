import type { Ctx } from '#lib/identity/context.ts';
import type { WireRequest } from './request.ts';
import type { WireResponse } from './respond.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * The rule a route lives under. The wrapper enforces `user` and `admin`; the use case enforces the repo and
 * endpoint rules; the deny-matrix test reads this key and tries every kind of caller against it.
 */
export type Access =
  | 'public'
  | 'user'
  | 'admin'
  | 'repo.read'
  | 'repo.write'
  | 'repo.admin'
  | 'endpoint.use'
  | 'endpoint.manage'
  /** An HMAC-signed link in the path is the right; hub credentials are not looked at. */
  | 'signedUrl'
  /** A Xet token in Authorization is the right; hub credentials are not looked at. */
  | 'xetToken';

/** Which formatter turns errors into bytes. */
export type Protocol = 'hub' | 'git' | 'lfs' | 'xet' | 'openai';

export interface RouteMeta {
  /** Unique name for logs, metrics, limits and tests: `repo.commit`. */
  readonly operation: string;
  readonly access: Access;
  /** What an access token needs. Default: read for GET and HEAD, write for the rest. */
  readonly scope?: 'read' | 'write';
  readonly protocol?: Protocol;
  /** Deadline of the whole request; 0 for streams of unknown length. Default 60,000. */
  readonly timeoutMs?: number;
  /** What OPTIONS tells about this address, besides CORS. */
  readonly options?: Readonly<Record<string, string>>;
}

export type Handler = (ctx: Ctx, req: WireRequest, res: WireResponse) => Promise<void>;

export interface Route {
  readonly methods: readonly Method[];
  readonly patterns: readonly string[];
  readonly meta: RouteMeta;
  readonly handler: Handler;
}

/**
 * Declares a route. Patterns work on the raw path: `:x` is one segment, decoded once; `:x(a|b)` one of those
 * words; `:x.git` a segment with a literal suffix; a trailing `*rest` the undecoded remainder, perhaps empty.
 */
export function route(
  methods: Method | readonly Method[],
  patterns: string | readonly string[],
  meta: RouteMeta,
  handler: Handler,
): Route {
  return {
    methods: typeof methods === 'string' ? [methods] : methods,
    patterns: typeof patterns === 'string' ? [patterns] : patterns,
    meta,
    handler,
  };
}

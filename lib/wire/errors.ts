import type { OutgoingHttpHeaders } from 'node:http';
import { asStorageFull } from '#lib/base/disk-full.ts';
import { ERROR_TABLE, type HubError, hubError, isHubError } from '#lib/base/errors.ts';
import type { Principal } from '#lib/identity/principal.ts';
import type { Protocol } from './route.ts';

export interface RenderedError {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
  readonly body: string;
}

const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '08006',
  '08001',
]);

/** Where Prisma keeps the SQLSTATE of what Postgres said. */
interface PrismaMeta {
  readonly driverAdapterError?: { readonly cause?: { readonly originalCode?: string } };
}

/** Any thrown value as a HubError: known faults of Postgres become 503, everything unknown `internal`. */
export function toHubError(error: unknown): HubError {
  if (isHubError(error)) return error;
  const e = error as { code?: string; message?: string; meta?: PrismaMeta };
  const code = e?.meta?.driverAdapterError?.cause?.originalCode ?? e?.code;
  if (code === '22021') return hubError('invalid_input', 'text must not contain NUL bytes', { cause: error });
  if (code === '55P03' || code === '40001' || code === '40P01') {
    return hubError('busy', 'another change is in progress: try again', { cause: error });
  }
  const full = asStorageFull(error, code);
  if (full !== null) return full;
  if (
    (code && UNAVAILABLE.has(code)) ||
    /timeout exceeded when trying to connect|Connection terminated/.test(e?.message ?? '')
  ) {
    return hubError('not_ready', 'the database is not reachable at the moment: try again', { cause: error });
  }
  return hubError('internal', 'Internal error', { cause: error });
}

/** HF's rule: a stranger cannot tell a missing repo from a private one, nor 401 from "not for you". */
function statusOf(error: HubError, principal: Principal): number {
  if (principal.kind === 'anonymous' && (error.code === 'repo_not_found' || error.code === 'gated'))
    return 401;
  return error.status;
}

/** One line of printable ASCII: what headers of all clients accept. */
function headerText(text: string): string {
  return (
    text
      .replace(/[^\x20-\x7e]+/g, ' ')
      .slice(0, 500)
      .trim() || 'Error'
  );
}

function bodyOf(protocol: Protocol, error: HubError, message: string, requestId: string): string {
  switch (protocol) {
    case 'lfs':
      return JSON.stringify({ message, request_id: requestId });
    case 'git': // git shows plain text to people, each line behind "remote:"
      return `${message}\n`;
    case 'openai': {
      const type =
        error.status >= 500
          ? 'server_error'
          : error.status === 401
            ? 'authentication_error'
            : 'invalid_request_error';
      return JSON.stringify({ error: { message, type, param: null, code: error.code } });
    }
    default:
      return JSON.stringify({ error: message, ...error.details });
  }
}

const TYPES: Partial<Record<Protocol, string>> = {
  lfs: 'application/vnd.git-lfs+json',
  git: 'text/plain; charset=utf-8',
};

/** The one place where an error becomes bytes; header and body carry the same message (hf-api §0.2). */
export function renderError(
  protocol: Protocol,
  error: HubError,
  principal: Principal,
  requestId: string,
): RenderedError {
  const row: { status: number; hubCode?: string; retryAfterSeconds?: number } = ERROR_TABLE[error.code];
  const message = error.code === 'internal' ? `Internal error (request ${requestId})` : error.message;
  const headers: OutgoingHttpHeaders = {
    'content-type': TYPES[protocol] ?? 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-error-message': headerText(message),
  };
  if (row.hubCode) headers['x-error-code'] = row.hubCode;
  const retryAfter = (error.details.retryAfterSeconds as number | undefined) ?? row.retryAfterSeconds;
  if (retryAfter !== undefined) headers['retry-after'] = String(retryAfter);
  if (typeof error.details.commitOid === 'string') headers['x-repo-commit'] = error.details.commitOid;
  if (typeof error.details.contentRange === 'string') headers['content-range'] = error.details.contentRange;
  const status = statusOf(error, principal);
  // git asks for a name and a password only when told so; anywhere else browsers would
  if (status === 401 && protocol === 'git') headers['www-authenticate'] = 'Basic realm="Larder"';
  if (status === 401 && protocol === 'lfs') headers['lfs-authenticate'] = 'Basic realm="Larder"';
  const body = bodyOf(protocol, error, message, requestId);
  headers['content-length'] = Buffer.byteLength(body);
  return { status, headers, body };
}

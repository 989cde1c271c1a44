import { type HubError, hubError, isHubError } from './errors.ts';

/** What Node and Postgres say when a disk, a quota or the database's volume has no room. */
const CODES = new Set(['ENOSPC', 'EDQUOT', '53100']);

/** The error as `storage_full`, in words for whoever sent something; null when it is about something else. */
export function asStorageFull(
  error: unknown,
  code = (error as { code?: unknown } | null)?.code,
): HubError | null {
  if (isHubError(error)) return error.code === 'storage_full' ? error : null;
  if (typeof code !== 'string' || !CODES.has(code)) return null;
  return hubError(
    'storage_full',
    'the hub has no room left on a disk: nothing was stored. Tell its operator',
    {
      cause: error,
    },
  );
}

/** What the hub said no to, in its own words. `status` 0: it did not answer at all. */
export class CallError extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, message: string, body: unknown) {
    super(message);
    this.name = 'CallError';
    this.status = status;
    this.body = body;
  }
}

function messageOf(body: unknown, status: number): string {
  const error = (body as { error?: unknown } | null)?.error;
  if (typeof error === 'string') return error;
  const nested = (error as { message?: unknown } | undefined)?.message;
  return typeof nested === 'string' ? nested : `HTTP ${status}`;
}

/**
 * Calls the hub's API from the browser with the reader's session and returns its JSON. Throws CallError with the
 * hub's own message when it refuses, and with an empty message when it cannot be reached.
 */
export async function callHub<T>(
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  body?: unknown,
  signal?: AbortSignal,
): Promise<T> {
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
  }).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new CallError(0, '', null);
  });
  const answer: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new CallError(response.status, messageOf(answer, response.status), answer);
  return answer as T;
}

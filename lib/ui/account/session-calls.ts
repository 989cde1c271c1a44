/** How a sign-in ended. */
export type SignInResult = 'ok' | 'wrong' | 'tooMany' | 'failed';

async function post(path: string, fields: Record<string, string>): Promise<Response> {
  const { csrfToken } = (await (await fetch('/api/auth/csrf')).json()) as { csrfToken: string };
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ ...fields, csrfToken, json: 'true' }),
  });
}

/** Opens a session for the browser. */
export async function signIn(username: string, password: string): Promise<SignInResult> {
  try {
    const { ok, status } = await post('/api/auth/callback/credentials', { username, password });
    if (ok) return 'ok';
    return status === 401 ? 'wrong' : status === 429 ? 'tooMany' : 'failed';
  } catch {
    return 'failed';
  }
}

/** Ends the browser's session; resolves when the hub has ended it. */
export async function signOut(): Promise<void> {
  const response = await post('/api/auth/signout', {});
  if (!response.ok) throw new Error(`signing out: HTTP ${response.status}`);
}

const TIMEOUT_MS = 2_000;

/** True when the engine of exactly this replica answers at `url` and has its model loaded. Never throws. */
export async function probeEngine(url: string, replicaId: string, token: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/health`, {
      headers: { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    });
    const body = (await answer.json()) as { replica?: unknown };
    return answer.status === 200 && body.replica === replicaId;
  } catch {
    return false;
  }
}

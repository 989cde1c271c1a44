import { redirect } from 'next/navigation';
import type { UserPrincipal } from '#lib/identity/principal.ts';
import { pageContext } from './server-context.ts';

/** The signed-in reader; who is not is sent to the sign-in page and comes back to `path` afterwards. */
export async function requireReader(path: string): Promise<UserPrincipal> {
  const { principal } = await pageContext();
  if (principal.kind !== 'user') redirect(`/login?next=${encodeURIComponent(path)}`);
  return principal;
}

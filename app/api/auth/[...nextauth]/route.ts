import { currentApp } from '#lib/identity/current-app.ts';
import { handleAuth } from '#lib/identity/handle-auth.ts';

/** next-auth under our rules. The forwarded headers are the server's own: it overwrites what a client sends. */
async function handle(
  request: Request,
  route: { params: Promise<{ nextauth: string[] }> },
): Promise<Response> {
  const { headers } = request;
  return handleAuth(currentApp(), request, {
    action: (await route.params).nextauth,
    publicUrl: `${headers.get('x-forwarded-proto')}://${headers.get('x-forwarded-host')}`,
    ip: headers.get('x-forwarded-for'),
  });
}

export { handle as GET, handle as POST };

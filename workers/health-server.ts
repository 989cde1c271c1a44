import { createServer, type Server } from 'node:http';

/**
 * `GET /healthz` on loopback: 200 while `isHealthy` says so, else 503. Resolves when it listens; port 0 means that
 * nobody asks, and gives null.
 */
export async function startHealthServer(
  port: number,
  isHealthy: () => Promise<boolean>,
): Promise<Server | null> {
  if (port === 0) return null;
  const server = createServer((req, res) => {
    if (req.url !== '/healthz') return void res.writeHead(404).end();
    isHealthy()
      .catch(() => false)
      .then((ok) => {
        res.writeHead(ok ? 200 : 503, { 'content-type': 'application/json' });
        return res.end(JSON.stringify({ status: ok ? 'ok' : 'not ready' }));
      })
      .catch(() => res.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return server;
}

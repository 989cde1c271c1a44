import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { loadConfig } from '#lib/base/config.ts';
import { flushDownloads } from '#lib/catalog/record-download.ts';
import { flushUsage } from '#lib/endpoints/count-usage.ts';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import { closeApp, createApp } from '#lib/identity/create-app.ts';
import { createDispatcher } from '#lib/wire/dispatch.ts';
import { endWatched } from '#lib/wire/hub/endpoint-events.ts';
import { createPageGuard } from '#lib/wire/page-guard.ts';
import { BasedResponse } from '#lib/wire/respond.ts';
import { routesOf } from '#lib/wire/routes.ts';

const SHUTDOWN_GRACE_MS = 10_000;
process.env.NEXT_TELEMETRY_DISABLED = '1';
// next-auth builds its links from X-Forwarded-Host, which only guardPage sets.
process.env.AUTH_TRUST_HOST = 'true';
const dev = process.env.NODE_ENV === 'development';
const config = loadConfig();
const app = await createApp({ config, program: 'server', waitsForStore: true });
// Next bundles its own copies of modules; this is how its pages reach the one App of the process.
(globalThis as { __larderApp?: unknown }).__larderApp = app;
const bootstrapped = await bootstrap(app);
// The one time a password is shown: to the launcher, which prints it, or to whoever watches this terminal. Never logged.
if (process.send) process.send({ type: 'bootstrap', ...bootstrapped });
else if (bootstrapped.generatedPassword !== undefined) {
  process.stdout.write(
    `Administrator ${bootstrapped.adminName}, password (shown once): ${bootstrapped.generatedPassword}\n`,
  );
}

type Upgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => Promise<void>;
interface Pages {
  render: (req: IncomingMessage, res: ServerResponse) => Promise<void>;
  upgrade: Upgrade | undefined;
  close: () => Promise<void>;
}

async function preparePages(): Promise<Pages | undefined> {
  if (config.LARDER_ROLE === 'wire' || config.LARDER_ROLE === 'gateway') return undefined;
  const [{ default: next }, { provideQueries }, { queries }] = await Promise.all([
    import('next'),
    import('#lib/ui/hub.ts'),
    import('#lib/ui/queries.ts'),
  ]);
  provideQueries(queries);
  const nextApp = next({ dev, customServer: true, port: config.PORT, hostname: 'localhost' });
  await nextApp.prepare();
  return {
    render: nextApp.getRequestHandler(),
    upgrade: dev ? (nextApp.getUpgradeHandler() as Upgrade) : undefined,
    close: () => nextApp.close(),
  };
}

const pages = await preparePages();
const guardPage = createPageGuard(config, { dev });
const dispatch =
  config.LARDER_ROLE === 'pages' ? async () => false : createDispatcher(app, routesOf(config.LARDER_ROLE));

const server = createServer({
  ServerResponse: BasedResponse,
  maxHeaderSize: 32_768,
  requestTimeout: 0,
  headersTimeout: 30_000,
  keepAliveTimeout: 65_000,
});
server.on('request', (req, res) => {
  void answer(req, res).catch((error) => {
    app.log.error({ err: error, url: req.url?.split('?')[0] }, 'request failed outside of any route');
    if (!res.headersSent) res.writeHead(500, { 'content-type': 'text/plain' }).end('Internal error\n');
    else res.destroy();
  });
});
server.on('checkContinue', (req, res) => {
  res.writeContinue();
  server.emit('request', req, res);
});
server.on('upgrade', (req, socket, head) => {
  if (pages?.upgrade && req.url?.startsWith('/_next/')) void pages.upgrade(req, socket, head);
  else socket.end('HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\ncontent-length: 0\r\n\r\n');
});

async function answer(req: IncomingMessage, res: BasedResponse): Promise<void> {
  if (await dispatch(req, res)) return;
  if (pages === undefined) {
    res.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('This process serves no pages\n');
    return;
  }
  if (guardPage(req, res)) await pages.render(req, res);
}

await new Promise<void>((resolve, reject) => {
  server.once('error', reject);
  server.listen(config.PORT, config.HOST, resolve);
});
const address = server.address();
app.log.info({ port: typeof address === 'object' ? address?.port : address }, 'listening');

let stopping = false;
async function stop(signal: string): Promise<void> {
  if (stopping) return;
  stopping = true;
  app.log.info({ signal }, 'stopping');
  const closed = new Promise((resolve) => server.close(resolve));
  endWatched();
  server.closeIdleConnections();
  const force = setTimeout(() => server.closeAllConnections(), SHUTDOWN_GRACE_MS);
  await closed;
  clearTimeout(force);
  await pages?.close().catch(() => {});
  await flushUsage(app.db).catch(() => {});
  await flushDownloads(app.db).catch(() => {}); // statistics never hold up a stop
  await closeApp(app);
  process.exit(0);
}
process.on('SIGTERM', () => void stop('SIGTERM'));
process.on('SIGINT', () => void stop('SIGINT'));

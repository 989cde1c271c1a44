import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDispatcher } from '#lib/wire/dispatch.ts';
import { BasedResponse } from '#lib/wire/respond.ts';
import type { Route } from '#lib/wire/route.ts';
import { createTestApp, type TestApp } from './app.ts';

export interface TestWire extends TestApp {
  /** http://127.0.0.1:port */
  url: string;
}

/** The wire over real HTTP in this process, on a free port, over an app with its own database and local store. */
export async function startWire(
  routes: readonly Route[],
  env: Record<string, string> = {},
): Promise<TestWire> {
  const testApp = await createTestApp({ env });
  const dispatch = createDispatcher(testApp.app, routes);
  const server = createServer(
    { ServerResponse: BasedResponse, requestTimeout: 0, keepAliveTimeout: 65_000 },
    (req, res) => {
      void dispatch(req, res).then((answered) => {
        if (!answered) res.writeHead(404, { 'content-type': 'text/plain' }).end('page');
      });
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    ...testApp,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await testApp.close();
    },
  };
}

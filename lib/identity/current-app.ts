import type { App } from './context.ts';

const holder = globalThis as { __larderApp?: App };

/** Makes `app` the one that pages find: the Next bundle shares only globalThis with the server that carries it. */
export function setCurrentApp(app: App): void {
  holder.__larderApp = app;
}

/** The process's App, for pages and Next routes. Throws when the server did not set it. */
export function currentApp(): App {
  if (!holder.__larderApp) throw new Error('no App in this process: pages run inside server.ts');
  return holder.__larderApp;
}

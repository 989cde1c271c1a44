import type { App } from './context.ts';

// Set by server.ts: the Next bundle has copies of our modules and shares only globalThis with the server around it.
const holder = globalThis as { __larderApp?: App };

/** The process's App, for pages and Next routes. Throws when the server did not set it. */
export function currentApp(): App {
  if (!holder.__larderApp) throw new Error('no App in this process: pages run inside server.ts');
  return holder.__larderApp;
}

import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
} from 'playwright-core';
import { type Hub, type HubOptions, startHub } from '#tests/support/hub.ts';
import { buildPages } from '../../bin/launcher/build.ts';

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** A hub with its pages, built from the files as they are now. */
export async function startHubWithPages(options: HubOptions = {}): Promise<Hub> {
  await buildPages(() => {});
  return startHub({ ...options, env: { LARDER_ROLE: 'all', ...options.env } });
}

/** Debian's Chromium, or the one that LARDER_TEST_CHROMIUM names. */
const launchOptions = () => ({
  executablePath: process.env.LARDER_TEST_CHROMIUM || '/usr/bin/chromium',
  args: ARGS,
});

export function openBrowser(): Promise<Browser> {
  return chromium.launch(launchOptions());
}

/** A browser on a profile in this folder: what it keeps is there again when it is closed and opened anew. */
export function openProfile(folder: string, url: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, { ...launchOptions(), baseURL: url, locale: 'en-US' });
}

/** Said when the machine is too busy to use in a few seconds what it fetched ahead: no fault of a page. */
const SLOW = /was preloaded using link preload but not used within a few seconds/;

/** A reader with a browser window of their own, and everything that went wrong in it. */
export interface Visitor {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught errors, dialogs, and requests to any other host. */
  readonly troubles: string[];
  close(): Promise<void>;
}

/** Opens a window on the hub. `expected` tells troubles that the test itself causes. */
export async function visit(
  browser: Browser,
  hub: Hub,
  options: BrowserContextOptions & { expected?: RegExp } = {},
): Promise<Visitor> {
  const { expected, ...context } = options;
  const window = await browser.newContext({ baseURL: hub.url, locale: 'en-US', ...context });
  const page = await window.newPage();
  const troubles: string[] = [];
  const note = (text: string) => {
    if (!expected?.test(text) && !SLOW.test(text)) troubles.push(text);
  };
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') note(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => note(`uncaught: ${error.message}`));
  page.on('dialog', (dialog) => {
    note(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(hub.url) && !/^(?:data|blob):/.test(request.url()))
      note(`left the hub: ${request.url()}`);
  });
  return { page, troubles, close: () => window.close() };
}

/** Signs in through the form, as a person does, and lands on `next`. */
export async function signIn(page: Page, name: string, password: string, next = '/'): Promise<void> {
  await page.goto(`/login?next=${encodeURIComponent(next)}`);
  await page.getByLabel('User name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL((url) => url.pathname === next.split('?')[0]);
}

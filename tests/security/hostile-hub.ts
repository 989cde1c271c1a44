import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import type { App } from '#lib/identity/context.ts';
import { routes } from '#lib/wire/routes.ts';
import { startWire, type TestWire } from '../support/wire.ts';

const token = (name: string) => `hf_${name.padEnd(40, 'x')}`;

/** Alice owns things and is admin of acme, `reader` is her read token, Bob is a stranger, Mia reads acme. */
export const TOKENS = {
  alice: token('alice'),
  reader: token('reader'),
  bob: token('bob'),
  mia: token('mia'),
} as const;

export const SEED = {
  users: [
    {
      name: 'alice',
      fullname: 'Alice',
      tokens: [
        { name: 'w', token: TOKENS.alice, role: 'write' },
        { name: 'r', token: TOKENS.reader, role: 'read' },
      ],
    },
    { name: 'bob', fullname: 'Bob', tokens: [{ name: 'w', token: TOKENS.bob, role: 'write' }] },
    { name: 'mia', fullname: 'Mia', tokens: [{ name: 'w', token: TOKENS.mia, role: 'write' }] },
  ],
  organizations: [
    {
      name: 'acme',
      fullname: 'Acme',
      members: [
        { user: 'alice', role: 'admin' },
        { user: 'mia', role: 'read' },
      ],
    },
  ],
};

export type Who = keyof typeof TOKENS | 'nobody';

export interface Ask {
  as?: Who;
  method?: string;
  /** An object is sent as JSON, a string or bytes as they are. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** Of the error headers (hf-api §0.2). */
  code: string | null;
  message: string | null;
}

export interface HostileHub extends TestWire {
  /** A request, by default of alice. */
  ask(path: string, options?: Ask): Promise<Answer>;
  commit(repo: string, lines: readonly unknown[], options?: Ask): Promise<Answer>;
  createRepo(name: string, options?: { private?: boolean; as?: Who }): Promise<void>;
}

/** Asks a hub at `url` as one of TOKENS and reads the whole answer. */
export async function askAt(url: string, path: string, options: Ask = {}): Promise<Answer> {
  const { as = 'alice', body, headers } = options;
  const isBytes = typeof body === 'string' || body instanceof Uint8Array;
  const response = await fetch(url + path, {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    headers: {
      ...(as === 'nobody' ? {} : { authorization: `Bearer ${TOKENS[as]}` }),
      ...(body === undefined || isBytes ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isBytes ? (body as BodyInit) : JSON.stringify(body) }),
  });
  return {
    status: response.status,
    headers: response.headers,
    text: await response.text(),
    code: response.headers.get('x-error-code'),
    message: response.headers.get('x-error-message'),
  };
}

/** Every route of the wire over HTTP in this process, with the people of SEED. */
export async function startHostileHub(env: Record<string, string> = {}): Promise<HostileHub> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-hostile-'));
  await writeFile(join(dir, 'seed.json'), JSON.stringify(SEED));
  const wire = await startWire(routes, {
    LARDER_SEED: join(dir, 'seed.json'),
    LARDER_ADMIN_PASSWORD: 'correct horse battery',
    ...env,
  });
  await bootstrap(wire.app);
  const ask: HostileHub['ask'] = (path, options) => askAt(wire.url, path, options);
  return {
    ...wire,
    ask,
    commit: (repo, lines, options = {}) =>
      ask(`/api/models/${repo}/commit/main`, {
        ...options,
        headers: { 'content-type': 'application/x-ndjson', ...options.headers },
        body: lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
      }),
    async createRepo(name, { private: isPrivate = false, as = 'alice' } = {}) {
      const answer = await ask('/api/repos/create', { as, body: { name, private: isPrivate } });
      if (answer.status !== 200) throw new Error(`create ${name}: ${answer.status} ${answer.text}`);
    },
    async close() {
      await wire.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

export const header = { key: 'header', value: { summary: 'change', description: '' } };

/** A commit line that puts a small file. */
export const file = (path: string, content = 'x') => ({
  key: 'file',
  value: { path, content: Buffer.from(content).toString('base64'), encoding: 'base64' },
});

/** Tables that reading and failing may touch: when a token was used last, how often somebody tried, download counts. */
const NOT_EFFECTS = new Set(['access_token', 'throttle', 'download_day', 'session', '_prisma_migrations']);

/**
 * Everything a request could have left behind: rows of every table of the product, waiting jobs, where every ref
 * points, and every object in the store. Two equal answers mean: no effect.
 */
export async function everything(app: App): Promise<Record<string, unknown>> {
  const tables = await app.db.query<{ name: string }>(
    `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' ORDER BY 1`,
  );
  const found: Record<string, unknown> = {};
  for (const { name } of tables.rows) {
    if (NOT_EFFECTS.has(name)) continue;
    const { rows } = await app.db.query<{ n: number }>(`SELECT count(*) AS n FROM "${name}"`);
    found[name] = rows[0]?.n;
  }
  const refs = await app.db.query(`SELECT repo_id, name, encode(oid, 'hex') AS oid FROM ref ORDER BY 1, 2`);
  const keys: string[] = [];
  for await (const { key } of app.store.list('')) keys.push(key);
  return { ...found, refs: refs.rows, keys: keys.sort() };
}

export interface RawAnswer {
  /** All bytes the server sent, as latin1. */
  text: string;
  /** Of each answer in it. */
  statuses: number[];
  /** Whether the server closed the connection, rather than this client giving up. */
  closed: boolean;
}

/**
 * Sends bytes as they are on a socket of its own and collects what comes until the server closes or `waitMs` have
 * passed. Pieces are sent one after the other with a pause between.
 */
export function sendRaw(
  url: string,
  pieces: string | readonly string[],
  options: { waitMs?: number; pauseMs?: number } = {},
): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    let closed = false;
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      clearTimeout(timer);
      socket.destroy();
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((m) => Number(m[1]));
      resolve({ text, statuses, closed });
    };
    const timer = setTimeout(end, options.waitMs ?? 5_000);
    socket.on('data', (data) => (text += data.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => {
      closed = true;
      end();
    });
    socket.on('connect', async () => {
      for (const piece of typeof pieces === 'string' ? [pieces] : pieces) {
        if (over) return;
        socket.write(piece, 'latin1');
        if (options.pauseMs) await new Promise((r) => setTimeout(r, options.pauseMs));
      }
    });
  });
}

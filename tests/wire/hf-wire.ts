import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import { routes as hf } from '#lib/wire/hf/routes.ts';
import { routes as lfs } from '#lib/wire/lfs/routes.ts';
import { startWire, type TestWire } from '../support/wire.ts';

const token = (letter: string) => `hf_${letter.repeat(36)}`;

/** Who asks. Alice owns things, her reader token may not write, Bob is a stranger, Mia reads the organization. */
export const TOKENS = {
  alice: token('a'),
  reader: token('r'),
  bob: token('b'),
  mia: token('m'),
} as const;

const SEED = {
  users: [
    {
      name: 'alice',
      fullname: 'Alice',
      email: 'alice@example.com',
      tokens: [
        { name: 'laptop', token: TOKENS.alice, role: 'write' },
        { name: 'readonly', token: TOKENS.reader, role: 'read' },
      ],
    },
    { name: 'bob', fullname: 'Bob', tokens: [{ name: 'b', token: TOKENS.bob, role: 'write' }] },
    { name: 'mia', fullname: 'Mia', tokens: [{ name: 'm', token: TOKENS.mia, role: 'write' }] },
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

export interface Ask {
  as?: keyof typeof TOKENS | 'nobody' | undefined;
  method?: string;
  body?: unknown;
  headers?: Record<string, string>;
  redirect?: RequestRedirect;
}

export interface HfWire extends TestWire {
  /** A request as one of TOKENS (default alice). An object body is sent as JSON, a string as it is. */
  ask(path: string, options?: Ask): Promise<Response>;
  /** A commit of NDJSON lines on main. */
  commit(repo: string, lines: unknown[], options?: Ask): Promise<Response>;
}

/** The Hub's routes over HTTP with a few users, for tests of requests that no stock client would send. */
export async function startHfWire(): Promise<HfWire> {
  const dir = await mkdtemp(join(tmpdir(), 'larder-seed-'));
  const seed = join(dir, 'seed.json');
  await writeFile(seed, JSON.stringify(SEED));
  const wire = await startWire([...hf, ...lfs], {
    LARDER_SEED: seed,
    LARDER_ADMIN_PASSWORD: 'a long enough password',
  });
  await bootstrap(wire.app);
  const ask = (path: string, { as = 'alice', method, body, headers, redirect = 'manual' }: Ask = {}) =>
    fetch(wire.url + path, {
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      redirect,
      headers: {
        ...(as === 'nobody' ? {} : { authorization: `Bearer ${TOKENS[as]}` }),
        ...(typeof body === 'object' ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return {
    ...wire,
    ask,
    commit: (repo, lines, options = {}) =>
      ask(`/api/${repo}/commit/main`, {
        ...options,
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson', ...options.headers },
        body: lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'),
      }),
    async close() {
      await wire.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** First line of a commit. */
export const header = (summary = 'change', more: Record<string, unknown> = {}) => ({
  key: 'header',
  value: { summary, description: '', ...more },
});

/** A line that puts a small file. */
export const file = (path: string, content: string) => ({
  key: 'file',
  value: { path, content: Buffer.from(content).toString('base64'), encoding: 'base64' },
});

/** Alice's `m` (a model with a few files), `secret` (private) and dataset `d`; returns the head of `m`. */
export async function seedRepos(hub: HfWire): Promise<string> {
  await hub.ask('/api/repos/create', { body: { name: 'm' } });
  await hub.ask('/api/repos/create', { body: { name: 'secret', visibility: 'private' } });
  await hub.ask('/api/repos/create', { body: { name: 'd', type: 'dataset' } });
  const made = await hub.commit('models/alice/m', [
    header('first'),
    file('README.md', '---\nlicense: mit\ntags: [tiny]\nlanguage: [en]\n---\n# M\n'),
    file('config.json', '{"model_type":"llama","architectures":["LlamaForCausalLM"]}'),
    file('sub/to?/awful?filename%you:should,never.give', 'awful'),
    file('sub/page.html', '<script>alert(1)</script>'),
    file('empty.txt', ''),
  ]);
  if (!made.ok) throw new Error(`${made.status} ${await made.text()}`);
  return ((await made.json()) as { commitOid: string }).commitOid;
}

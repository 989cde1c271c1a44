import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '#lib/base/clock.ts';
import { bootstrap } from '#lib/identity/bootstrap.ts';
import type { App } from '#lib/identity/context.ts';
import { createDispatcher } from '#lib/wire/dispatch.ts';
import { BasedResponse } from '#lib/wire/respond.ts';
import { routes } from '#lib/wire/routes.ts';
import { createTestApp } from '../support/app.ts';
import { type BuiltTerm, type BuiltXorb, buildShard, type ShardLies } from './build.ts';

export const TOKENS = {
  alice: `hf_${'a'.repeat(40)}`,
  aliceRead: `hf_${'r'.repeat(40)}`,
  bob: `hf_${'b'.repeat(40)}`,
} as const;

const SEED = {
  users: [
    {
      name: 'alice',
      tokens: [
        { name: 'write', token: TOKENS.alice, role: 'write' },
        { name: 'read', token: TOKENS.aliceRead, role: 'read' },
      ],
    },
    { name: 'bob', tokens: [{ name: 'write', token: TOKENS.bob, role: 'write' }] },
  ],
};

/** A door to the CAS for one repo. */
export interface Cas {
  readonly url: string;
  readonly token: string;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  post(path: string, body: Buffer): Promise<Response>;
  /** Uploads xorbs, then a shard (v1) with one file; the answer to the shard. */
  upload(terms: readonly BuiltTerm[], lies?: ShardLies): Promise<Response>;
}

export interface CasHub {
  readonly app: App;
  readonly url: string;
  readonly dataDir: string;
  readonly databaseUrl: string;
  /** A request with a hub token. */
  ask(path: string, token: string | null, init?: RequestInit): Promise<Response>;
  createRepo(owner: 'alice' | 'bob', name: string, isPrivate?: boolean): Promise<void>;
  /** Asks for a Xet token as a client does. */
  cas(repo: string, hubToken: string, scope?: 'read' | 'write'): Promise<Cas>;
  close(): Promise<void>;
}

function casOf(url: string, token: string): Cas {
  const authorization = `Bearer ${token}`;
  const cas: Cas = {
    url,
    token,
    get: (path, headers = {}) => fetch(url + path, { headers: { authorization, ...headers } }),
    post: (path, body) =>
      fetch(url + path, { method: 'POST', body: new Uint8Array(body), headers: { authorization } }),
    async upload(terms, lies) {
      const xorbs: BuiltXorb[] = [...new Set(terms.map((t) => t.xorb))];
      for (const xorb of xorbs) {
        const answer = await cas.post(`/v1/xorbs/default/${xorb.hash}`, xorb.body);
        if (!answer.ok) return answer;
      }
      return cas.post('/v1/shards', buildShard([terms], xorbs, lies));
    },
  };
  return cas;
}

/** The whole wire over HTTP in this process with two users, alice and bob; time may be replaced. */
export async function startCasHub(
  options: { env?: Record<string, string>; clock?: Clock } = {},
): Promise<CasHub> {
  const folder = await mkdtemp(join(tmpdir(), 'larder-seed-'));
  const seedFile = join(folder, 'seed.json');
  await writeFile(seedFile, JSON.stringify(SEED));
  const testApp = await createTestApp({ ...options, env: { LARDER_SEED: seedFile, ...options.env } });
  await bootstrap(testApp.app);
  const dispatch = createDispatcher(testApp.app, routes);
  const server = createServer({ ServerResponse: BasedResponse }, (req, res) => {
    void dispatch(req, res).then((answered) => {
      if (!answered) res.writeHead(404).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask: CasHub['ask'] = (path, token, init = {}) =>
    fetch(url + path, {
      ...init,
      headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...init.headers },
    });
  return {
    app: testApp.app,
    url,
    dataDir: testApp.dataDir,
    databaseUrl: testApp.databaseUrl,
    ask,
    async createRepo(owner, name, isPrivate = false) {
      const body = JSON.stringify({ name, type: 'model', private: isPrivate });
      const headers = { 'content-type': 'application/json' };
      const answer = await ask('/api/repos/create', TOKENS[owner], { method: 'POST', body, headers });
      if (!answer.ok) throw new Error(`create ${name}: ${answer.status} ${await answer.text()}`);
    },
    async cas(repo, hubToken, scope = 'write') {
      const answer = await ask(`/api/models/${repo}/xet-${scope}-token/main`, hubToken);
      if (!answer.ok) throw new Error(`token: ${answer.status} ${await answer.text()}`);
      const { casUrl, accessToken } = (await answer.json()) as { casUrl: string; accessToken: string };
      return casOf(casUrl, accessToken);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await testApp.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Counts everything that an upload could leave behind. */
export async function leftovers(app: App): Promise<Record<string, number>> {
  const { rows } = await app.db.query<Record<string, number>>(
    `SELECT (SELECT count(*) FROM xorb) AS xorbs, (SELECT count(*) FROM stored_object) AS objects,
            (SELECT count(*) FROM xet_file) AS files, (SELECT count(*) FROM repo_file) AS edges`,
  );
  let stored = 0;
  for await (const _ of app.store.list('xorb/')) stored++;
  return { ...rows[0], stored };
}

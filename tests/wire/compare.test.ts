import { afterAll, beforeAll, expect, test } from 'vitest';
import { file, type HfWire, header, seedRepos, startHfWire } from './hf-wire.ts';

let hub: HfWire;
let first: string;
beforeAll(async () => {
  hub = await startHfWire();
  first = await seedRepos(hub);
  await hub.commit('models/alice/m', [header('second'), file('config.json', '{"a":"é"}\n')]);
  await hub.commit('models/alice/secret', [header('one'), file('a', 'a')]);
});
afterAll(() => hub?.close());

const DIFF = `diff --git a/config.json b/config.json`;

test('compare gives the diff as text with raw, else as one JSON string of the same text', async () => {
  const raw = await hub.ask(`/api/models/alice/m/compare/${first}..main?raw=true`);
  expect([raw.status, raw.headers.get('content-type')]).toEqual([200, 'text/plain; charset=utf-8']);
  const text = await raw.text();
  expect(text).toContain(DIFF);
  expect(text).toContain('+{"a":"é"}\n');
  const json = await hub.ask(`/api/models/alice/m/compare/${first}...main`);
  expect(await json.json()).toBe(text);
  const none = await hub.ask('/api/models/alice/m/compare/main..main');
  expect(await none.json()).toBe('');
});

test('what is no range, no revision and no repo to the caller is told apart as everywhere', async () => {
  const statusOf = async (path: string, as: 'alice' | 'bob' = 'alice') => {
    const answer = await hub.ask(path, { as });
    return [answer.status, answer.headers.get('x-error-code')];
  };
  expect(await statusOf('/api/models/alice/m/compare/main')).toEqual([400, null]);
  expect(await statusOf('/api/models/alice/m/compare/main..nothing')).toEqual([404, 'RevisionNotFound']);
  expect(await statusOf('/api/models/alice/m/compare/main..%00')).toEqual([400, null]);
  expect(await statusOf('/api/models/alice/m/compare/a..b..c')).toEqual([400, null]);
  expect(await statusOf('/api/models/alice/secret/compare/main^..main')).toEqual([200, null]);
  expect(await statusOf('/api/models/alice/secret/compare/main^..main', 'bob')).toEqual([
    404,
    'RepoNotFound',
  ]);
});

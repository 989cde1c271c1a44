import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { readOptions } from '../../bin/launcher/options.ts';

const env = (values: Record<string, string>) => values as unknown as NodeJS.ProcessEnv;

test('flags win over the environment, which wins over the defaults', () => {
  expect(readOptions([], env({}))).toMatchObject({ port: 3000, dataDir: resolve('data'), databaseUrl: null });
  expect(readOptions([], env({ PORT: '3100', LARDER_DATA: '/srv/a' }))).toMatchObject({
    port: 3100,
    dataDir: '/srv/a',
    url: 'http://localhost:3100',
  });
  expect(
    readOptions(['--port', '4000', '--data=/srv/b'], env({ PORT: '3100', LARDER_DATA: '/srv/a' })),
  ).toMatchObject({ port: 4000, dataDir: '/srv/b', url: 'http://localhost:4000' });
});

test.each([
  [['--prot', '1'], 'there is no flag --prot'],
  [['--port'], '--port needs a value'],
  [['--port', '70000'], 'the port must be a number from 1 to 65535'],
  [['--port', 'x'], 'the port must be a number from 1 to 65535'],
])('%j is refused with what is wrong', (args, message) => {
  expect(() => readOptions(args, env({}))).toThrow(message);
});

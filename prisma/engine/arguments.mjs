import { readFileSync } from 'node:fs';

/**
 * What the CLI asks for: `wantsVersion`, or a one-shot `command`, or (neither) a JSON-RPC session. `url` is the
 * database, `shadowUrl` the one for trying migrations, if configured; `datamodels` are [path, text] pairs.
 */
export function readArguments(argv) {
  const after = (name) => (argv.includes(name) ? argv[argv.indexOf(name) + 1] : undefined);
  const datasource = parseDatasource(after('--datasource'));
  return {
    wantsVersion: argv.includes('--version'),
    command: argv.includes('cli') ? argv.at(-1) : undefined,
    url: datasource.url ?? process.env.DATABASE_URL,
    shadowUrl: datasource.shadowDatabaseUrl,
    datamodels: after('--datamodels')
      ?.split(',')
      .map((path) => [path, readFileSync(path, 'utf8')]),
  };
}

/** JSON, mostly in base64. */
function parseDatasource(text) {
  if (!text) return {};
  return JSON.parse(text.startsWith('{') ? text : Buffer.from(text, 'base64').toString('utf8'));
}

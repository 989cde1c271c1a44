import { resolve } from 'node:path';
import { readEnvironment } from '#lib/base/config.ts';

/** What the launcher itself must know; all else is read by server and worker (lib/base/config.ts). */
export interface Options {
  /** Absolute path of the data folder. */
  dataDir: string;
  host: string;
  port: number;
  /** Null: we run Postgres ourselves. */
  databaseUrl: string | null;
  /** Null: objects are files below dataDir. */
  s3Endpoint: string | null;
  adminName: string;
  adminPassword: string | null;
  /** Address to print. */
  url: string;
  /** What is left of the command line. */
  rest: string[];
}

/**
 * Flags first, then the environment, then .env, then defaults. Throws on a flag that is not
 * one or has no value; with `passOn` flags of others stay in `rest`, for the program that knows them.
 */
export function readOptions(
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  { passOn = false }: { passOn?: boolean } = {},
): Options {
  const flags: Record<string, string> = {};
  const rest: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const [name = '', inline] = (args[i] ?? '').split(/=(.*)/s);
    if (name !== '--port' && name !== '--data') {
      if (name.startsWith('--') && !passOn)
        throw new Error(`there is no flag ${name}; see npm start -- --help`);
      rest.push(args[i] ?? '');
      continue;
    }
    const value = inline ?? args[++i];
    if (value === undefined || value === '') throw new Error(`${name} needs a value`);
    flags[name] = value;
  }
  const settings = readEnvironment(env);
  const port = Number(flags['--port'] ?? settings.PORT ?? 3000);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new Error(`the port must be a number from 1 to 65535`);
  return {
    dataDir: resolve(flags['--data'] ?? settings.LARDER_DATA ?? './data'),
    host: settings.HOST ?? '0.0.0.0',
    port,
    databaseUrl: settings.DATABASE_URL ?? null,
    s3Endpoint: settings.S3_ENDPOINT ?? null,
    adminName: settings.LARDER_ADMIN_NAME ?? 'admin',
    adminPassword: settings.LARDER_ADMIN_PASSWORD ?? null,
    url: settings.LARDER_URL ?? `http://localhost:${port}`,
    rest,
  };
}

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '#lib/base/embedded-postgres.ts';
import type { Options } from './options.ts';

export interface HubDatabase {
  url: string;
  /** Null when DATABASE_URL names one that is not ours. */
  embedded: EmbeddedPostgres | null;
  /** Stops it if this call started it; leaves alone what ran before. */
  release(): Promise<void>;
}

/** Folder of the embedded Postgres of a data folder. */
export function postgresHome(options: Options): string {
  return join(options.dataDir, 'postgres');
}

/** The database of this installation: the configured one, the embedded one that runs, or the embedded one started now. */
export async function openDatabase(options: Options): Promise<HubDatabase> {
  if (options.databaseUrl) return { url: options.databaseUrl, embedded: null, release: async () => {} };
  mkdirSync(options.dataDir, { recursive: true });
  const embedded = await startEmbeddedPostgres({ home: postgresHome(options) });
  return {
    url: embedded.url,
    embedded,
    release: async () => {
      if (!embedded.adopted) await embedded.stop();
    },
  };
}

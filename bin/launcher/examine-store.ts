import { loadConfig } from '#lib/base/config.ts';
import { createStore } from '#lib/storage/create-store.ts';
import type { Finding } from './doctor.ts';
import type { Options } from './options.ts';

/** Puts, reads, ranges and deletes a small object. */
export async function examineStore(
  databaseUrl: string,
  options: Options,
  report: (finding: Finding) => void,
): Promise<void> {
  const name = options.s3Endpoint ?? `${options.dataDir}/objects`;
  try {
    const store = await createStore(
      loadConfig({ ...process.env, DATABASE_URL: databaseUrl, LARDER_DATA: options.dataDir }),
    );
    try {
      await store.probe();
    } finally {
      await store.close();
    }
    report({ subject: 'store', state: 'ok', text: `${name}: put, get, range and delete work` });
  } catch (error) {
    report({
      subject: 'store',
      state: 'broken',
      text: `${name}: ${(error as Error).message}`,
      mend: options.s3Endpoint
        ? 'check the S3_… settings and that the store runs'
        : 'check the rights and the disk of the data folder',
    });
  }
}

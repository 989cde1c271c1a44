import { loadConfig } from '#lib/base/config.ts';
import { createStore } from '#lib/storage/create-store.ts';
import type { Finding } from './doctor.ts';
import type { Options } from './options.ts';

/** S3 refuses requests that are a quarter of an hour off, and signed URLs begin and end by its clock. */
const MOST_SKEW_SECONDS = 60;

/** How far the store's clock is from ours, by the Date of whatever it answers; null when it does not say. */
async function skewSeconds(endpoint: string): Promise<number | null> {
  const sentAt = Date.now();
  const answer = await fetch(endpoint, { method: 'HEAD', signal: AbortSignal.timeout(5_000) }).catch(
    () => null,
  );
  const date = Date.parse(answer?.headers.get('date') ?? '');
  return Number.isNaN(date) ? null : Math.abs(date - (sentAt + Date.now()) / 2) / 1000;
}

async function examineClock(endpoint: string, report: (finding: Finding) => void): Promise<void> {
  const seconds = await skewSeconds(endpoint);
  if (seconds === null) return;
  const text = `${Math.round(seconds)} s from the store's`;
  if (seconds <= MOST_SKEW_SECONDS) report({ subject: 'store clock', state: 'ok', text });
  else
    report({
      subject: 'store clock',
      state: 'broken',
      text,
      mend: 'set both clocks by NTP: the store refuses what is a quarter of an hour off (RequestTimeTooSkewed)',
    });
}

/** Puts, reads, ranges and deletes a small object; compares clocks. */
export async function examineStore(
  databaseUrl: string,
  options: Options,
  report: (finding: Finding) => void,
): Promise<void> {
  if (options.s3Endpoint) await examineClock(options.s3Endpoint, report);
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
